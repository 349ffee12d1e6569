import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const HERE = fileURLToPath(new URL('.', import.meta.url));
const REQUIREMENTS = join(HERE, 'requirements.txt');
const CACHE = fileURLToPath(new URL('../../.cache/python/', import.meta.url));

/** The installation downloads 20 MB. The limit is for a network that hangs. */
const INSTALL_TIMEOUT_MS = 600_000;

/**
 * Installs the pinned `temporalio` once for each Python and set of versions, in the checkout's cache.
 *
 * @returns its directory, or the reason why it is missing on this machine
 */
export async function installedTemporalio(): Promise<{ directory: string } | { missing: string }> {
  try {
    const versions = (await run('python3', ['-m', 'pip', '--version'])).stdout + (await readFile(REQUIREMENTS, 'utf8'));
    const directory = join(CACHE, createHash('sha256').update(versions).digest('hex').slice(0, 16));
    if (!existsSync(directory)) await install(directory);
    return { directory };
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return { missing: stderr?.trim().split('\n').at(-1) || message };
  }
}

async function install(directory: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  // Renamed into place when complete, because two runs may do this at once.
  const fresh = await mkdtemp(join(CACHE, 'fresh-'));
  try {
    const options = ['--quiet', '--retries', '1', '--no-deps', '--only-binary=:all:', '--target', fresh];
    await run('python3', ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS], {
      timeout: INSTALL_TIMEOUT_MS,
      env: { ...process.env, PIP_DISABLE_PIP_VERSION_CHECK: '1' },
    });
    await rename(fresh, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Exits at once, because the SDK's native threads can crash an interpreter that exits slowly. */
const RUNNER = `
import asyncio, importlib, os, sys
program, queue, *args = sys.argv[1:]
module = importlib.import_module(program)
module.TASK_QUEUE = queue
asyncio.run(module.main(*args))
sys.stdout.flush()
os._exit(0)
`;

/** Runs a program of this folder on a given task queue, and returns its output. */
export async function runPython(
  directory: string,
  program: string,
  taskQueue: string,
  ...args: string[]
): Promise<string> {
  const env = { ...process.env, PYTHONPATH: `${directory}${delimiter}${HERE}`, PYTHONDONTWRITEBYTECODE: '1' };
  return (await run('python3', ['-c', RUNNER, program, taskQueue, ...args], { env })).stdout;
}
