// Finds the server and its schema tool, or builds them once with Go. There are no prebuilt ones to download without containers.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goInstall } from '../go.js';

/** The version that the pinned Temporal CLI contains, so that a cluster and the local server differ only in their deployment. */
export const SERVER_VERSION = 'v1.32.0';

const MODULES = {
  'temporal-server': 'go.temporal.io/server/cmd/server',
  'temporal-sql-tool': 'go.temporal.io/server/cmd/tools/sql',
};

const CACHE = fileURLToPath(new URL(`../../.cache/temporal-cluster/${SERVER_VERSION}`, import.meta.url));

/**
 * @param env a folder in `TEMPORAL_SERVER_PATH` is used as it is
 * @returns the paths of both programs
 */
export async function findBinaries(onProgress, env = process.env) {
  if (env.TEMPORAL_SERVER_PATH) return binariesIn(env.TEMPORAL_SERVER_PATH, 'TEMPORAL_SERVER_PATH');
  if (missingOf(pathsIn(CACHE)).length > 0) await build(onProgress);
  return pathsIn(CACHE);
}

/** @throws Error that starts with `what` if the folder lacks a program */
export function binariesIn(directory, what) {
  const paths = pathsIn(directory);
  const missing = missingOf(paths);
  if (missing.length > 0) throw new Error(`${what}: ${missing.join(' and ')} not found`);
  return paths;
}

function pathsIn(directory) {
  return { server: join(directory, 'temporal-server'), sqlTool: join(directory, 'temporal-sql-tool') };
}

function missingOf(paths) {
  return Object.values(paths).filter((path) => !existsSync(path));
}

async function build(onProgress) {
  await mkdir(CACHE, { recursive: true });
  for (const [name, module] of Object.entries(MODULES)) {
    onProgress(`Building ${name} ${SERVER_VERSION} with Go (both take about ten minutes of two cores, once)`);
    // A build that is interrupted leaves nothing that looks complete.
    const directory = await mkdtemp(join(CACHE, 'build-'));
    try {
      const program = await goInstall(`${module}@${SERVER_VERSION}`, directory, {
        onPackage: progressOf(name, onProgress),
        otherwise: 'Or set TEMPORAL_SERVER_PATH to a folder with temporal-server and temporal-sql-tool',
      });
      await rename(program, join(CACHE, name));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** `go -v` prints a line for each package. */
function progressOf(name, onProgress) {
  let packages = 0;
  return () => {
    packages += 1;
    if (packages % EVERY === 0) onProgress(`${name}: ${packages} packages built`);
  };
}

const EVERY = 200;
