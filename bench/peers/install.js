import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from '../lib/report.js';

const BENCH = fileURLToPath(new URL('..', import.meta.url));
const DEBIAN_POSTGRES = '/usr/lib/postgresql';

/** Brings what the peers need and is not there: npm packages into `bench/node_modules`, Redis and PostgreSQL from Debian. */
export function install() {
  const installed = join(BENCH, 'node_modules', '.package-lock.json');
  const isOld =
    !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(BENCH, 'package-lock.json')).mtimeMs;
  if (isOld) run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], 'The npm packages');
  const missing = [
    ...(redisBinary() === undefined ? ['redis-server'] : []),
    ...(postgresBinaries() === undefined ? ['postgresql'] : []),
  ];
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Error(
      `Not installed: ${missing.join(', ')}. On Debian: sudo apt-get install --no-install-recommends ${missing.join(' ')}`,
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], "Debian's lists", env);
  // What a policy layer refuses is not started: the benchmark has servers of its own.
  run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...missing], missing.join(', '), {
    ...env,
    RUNLEVEL: '1',
  });
}

export function redisBinary() {
  return inPath('redis-server');
}

/** @returns the folder with `initdb` and `postgres` */
export function postgresBinaries() {
  if (existsSync(DEBIAN_POSTGRES)) {
    const newest = readdirSync(DEBIAN_POSTGRES)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(DEBIAN_POSTGRES, version, 'bin'))
      .find((folder) => existsSync(join(folder, 'initdb')));
    if (newest) return newest;
  }
  const initdb = inPath('initdb');
  return initdb && join(initdb, '..');
}

function inPath(name) {
  return (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}

function run(command, args, what, env = process.env) {
  say(`Installing: ${what} …`);
  const { status, error } = spawnSync(command, args, { cwd: BENCH, stdio: ['ignore', 2, 2], env });
  if (status !== 0) throw new Error(`${what} could not be installed${error ? `: ${error.message}` : ''}`);
}
