import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download } from './download.js';
import { isUnchanged, PLATFORM, pinnedHash, sha256Of } from './pinned.js';
import { type FindOptions, PROGRAM, run } from './program.js';

/** Where the server was found. */
export type TemporalSource = 'TEMPORAL_ADDRESS' | 'TEMPORAL_CLI_PATH' | 'cache' | 'PATH' | 'download';

/** The Temporal CLI, which contains a server. */
interface TemporalBinary {
  path: string;
  /** Version of the CLI, such as `1.9.1`. */
  version: string;
  source: Exclude<TemporalSource, 'TEMPORAL_ADDRESS'>;
}

/** The server of older versions lacks features that tests need. */
const MINIMUM = [1, 9] as const;

/** Puts the program into the directory. @returns its path */
export type Fetch = (directory: string, options: FindOptions) => Promise<string>;

/**
 * Finds the Temporal CLI in the first of: `TEMPORAL_CLI_PATH`, the cache, PATH, a download from temporal.download. A program from the cache
 * or the download runs only if it has the pinned hash.
 *
 * @param sha256 the pinned hash; `null` if there is none for this platform
 * @throws Error that names every way and why it failed
 */
export async function findTemporalBinary(
  options: FindOptions,
  fetch: Fetch = download,
  sha256 = pinnedHash(),
): Promise<TemporalBinary> {
  const { env, cacheDir } = options;
  if (env.TEMPORAL_CLI_PATH) {
    const version = await versionOf(env.TEMPORAL_CLI_PATH);
    if (!version) throw new Error(`TEMPORAL_CLI_PATH: ${env.TEMPORAL_CLI_PATH} is not a Temporal CLI`);
    return { path: env.TEMPORAL_CLI_PATH, version, source: 'TEMPORAL_CLI_PATH' };
  }
  const cached = cachedProgram(cacheDir);
  if (existsSync(cached) && sha256 !== null) {
    const version = (await isUnchanged(cached, sha256)) ? await versionOf(cached) : undefined;
    if (version) return { path: cached, version, source: 'cache' };
    options.onProgress(`Ignoring ${cached}: its hash is not the one that this package pins`);
  }
  return (await onPath(env)) ?? (await installed(options, fetch, sha256));
}

/** Root of this package, also if it runs from `dist`. */
const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @returns `.cache` of this package's checkout, or the user's cache directory if the package is installed. Never a directory below the
 * current directory, because its program would be run.
 */
export function defaultCacheDir(env: FindOptions['env'], packageRoot = PACKAGE_ROOT): string {
  // Only a checkout has sources.
  if (existsSync(join(packageRoot, 'src'))) return join(packageRoot, '.cache', 'temporal');
  // The specification of XDG says to ignore a relative path.
  const { XDG_CACHE_HOME = '' } = env;
  if (isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'temporal-incode');
  const home = homedir();
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'temporal-incode')
    : join(home, '.cache', 'temporal-incode');
}

/** @returns `undefined` if there is no Temporal CLI at this path */
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

function cachedProgram(cacheDir: string): string {
  return join(cacheDir, 'bin', PROGRAM);
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

async function installed(options: FindOptions, fetch: Fetch, sha256: string | null): Promise<TemporalBinary> {
  let failure = `not tried, because this package knows no hash for ${PLATFORM}`;
  if (sha256 !== null) {
    options.onProgress('Downloading the Temporal server, once (about 150 MB)');
    try {
      return { ...(await install(options, fetch, sha256)), source: 'download' };
    } catch (error) {
      failure = reason(error);
    }
  }
  throw new Error(
    `No Temporal server found. Do one of these:
  - for tests, set TEMPORAL_ADDRESS to a running server; demo and dev always start their own
  - install the Temporal CLI ${MINIMUM.join('.')} or newer on PATH (https://docs.temporal.io/cli), or set TEMPORAL_CLI_PATH to it
  - let this machine reach temporal.download
Tried:
  TEMPORAL_CLI_PATH: not set
  cache: no program with the pinned hash in ${options.cacheDir}
  PATH: no temporal ${MINIMUM.join('.')} or newer
  download: ${failure}`,
  );
}

async function install(options: FindOptions, fetch: Fetch, sha256: string): Promise<{ path: string; version: string }> {
  const path = cachedProgram(options.cacheDir);
  await mkdir(dirname(path), { recursive: true });
  // Renamed once complete, so that another process never runs an incomplete program.
  const directory = await mkdtemp(join(options.cacheDir, 'fetch-'));
  try {
    const program = await fetch(directory, options);
    if ((await sha256Of(program)) !== sha256) {
      throw new Error('the hash of the program is not the one that this package pins');
    }
    await chmod(program, 0o755);
    const version = await versionOf(program);
    if (!version) throw new Error('the download is not a Temporal CLI for this machine');
    await rename(program, path);
    return { path, version };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '').slice(0, 300);
}
