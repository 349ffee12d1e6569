import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CliError, EXIT } from './exit.js';

const require = createRequire(import.meta.url);

/** What a client does not need, and most of what there is to install: see `docs/worker.md`. */
export const WORKER_PACKAGES = ['@temporalio/worker', '@temporalio/activity'];

/** The last one is asked for where it downloads a Temporal server. */
export const LOCAL_SERVER_PACKAGES = [...WORKER_PACKAGES, '@temporalio/testing'];

/**
 * Says before anything is started which optional packages a command lacks.
 *
 * @throws CliError
 */
export function checkPeers(command: string, needed: readonly string[]): void {
  const missing = needed.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  // All of them: in one command npm puts them beside each other, in one version.
  const packages = needed.map((name) => `${name}@${peerDependencies[name]}`);
  throw new CliError(
    `temporal-incode ${command} needs ${missing.join(' and ')}, which a client does not. Install it with:
  npm install ${packages.join(' ')}`,
    EXIT.usage,
  );
}

function isInstalled(name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
