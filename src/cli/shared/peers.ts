import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CliError, EXIT } from './exit.js';

const require = createRequire(import.meta.url);

/** Packages that only workers need. They are most of the install size: see `docs/worker.md`. */
export const WORKER_PACKAGES = ['@temporalio/worker', '@temporalio/activity', '@temporalio/nexus', 'pino'];

export const REPLAY_PACKAGES = ['@temporalio/worker'];

export const RECEIVER_PACKAGES = ['fastify', 'pino'];

export const GATEWAY_PACKAGES = ['fastify', '@fastify/rate-limit', 'pino'];

export const CODEC_SERVER_PACKAGES = ['fastify', '@fastify/cors'];

/** Packages that run a local server, worker, webhook receiver and gateway. */
export const LOCAL_SERVER_PACKAGES = [...WORKER_PACKAGES, 'fastify', '@fastify/rate-limit'];

/**
 * Reports missing optional packages before the command starts anything.
 *
 * @throws CliError
 */
export function checkPeers(command: string, needed: readonly string[]): void {
  const missing = needed.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const { peerDependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  // List all needed packages, so that npm installs them together in one version.
  const packages = needed.map((name) => `${name}@${peerDependencies[name]}`);
  throw new CliError(
    `temporal-incode ${command} needs ${inWords(missing)}, which are optional packages. Install with:
  npm install ${packages.join(' ')}`,
    EXIT.usage,
  );
}

function inWords(names: readonly string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : String(names[0]);
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
