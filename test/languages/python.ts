import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The directory of the programs. */
export const HERE = fileURLToPath(new URL('.', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/python/', import.meta.url));

/** An installation downloads 20 MB. The limit is for a network that hangs. */
const INSTALL_TIMEOUT_MS = 600_000;

/** The directory with installed packages, or the reason why they are missing on this machine. */
export type Installed = { directory: string } | { missing: string };

/**
 * Installs pinned packages once for each Python and set of versions, in the checkout's cache.
 *
 * @param requirements a file in this folder
 */
export async function installedPackages(requirements: string): Promise<Installed> {
  try {
    const file = join(HERE, requirements);
    const versions = (await run('python3', ['-m', 'pip', '--version'])).stdout + (await readFile(file, 'utf8'));
    const directory = join(CACHE, createHash('sha256').update(versions).digest('hex').slice(0, 16));
    if (!existsSync(directory)) await install(file, directory);
    return { directory };
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return { missing: stderr?.trim().split('\n').at(-1) || message };
  }
}

async function install(requirements: string, directory: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  // Renamed into place when complete, because two runs may do this at once.
  const fresh = await mkdtemp(join(CACHE, 'fresh-'));
  try {
    const options = ['--quiet', '--retries', '1', '--no-deps', '--only-binary=:all:', '--target', fresh];
    await run('python3', ['-m', 'pip', 'install', ...options, '-r', requirements], {
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
  return python([directory, HERE], ['-c', RUNNER, program, taskQueue, ...args]);
}

/**
 * @param path directories with packages and programs
 * @param input for the standard input
 * @returns what it printed
 */
export async function python(path: string[], args: string[], input = ''): Promise<string> {
  const env = { ...process.env, PYTHONPATH: path.join(delimiter), PYTHONDONTWRITEBYTECODE: '1' };
  const running = run('python3', args, { env });
  running.child.stdin?.end(input);
  return (await running).stdout;
}
