import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '../lib/world.js';
import { startProgram } from './child.js';
import { postgresBinaries, redisBinary } from './install.js';
import { programVersion } from './versions.js';

/** @param appendfsync `everysec` or `always` */
export async function startRedis(directory, appendfsync) {
  const port = await freePort();
  const data = join(directory, `redis-${appendfsync}`);
  mkdirSync(data);
  const settings = { port, bind: '127.0.0.1', dir: data, appendonly: 'yes', appendfsync, save: '' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = startProgram(redisBinary(), args, directory);
  await accepts(port, 'Redis');
  return { port, pid: child.pid, version: programVersion(redisBinary()), stop: () => child.stop() };
}

/** A cluster of its own with the defaults: `fsync` and `synchronous_commit` are on. */
export async function startPostgres() {
  const bin = postgresBinaries();
  // It refuses to run as root, and needs a folder that its user reaches.
  const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid);
  const data = join(directory, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust'], {
    ...user,
    cwd: directory,
    stdio: 'ignore',
  });
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', directory, '-c', 'max_connections=200'];
  const child = startProgram(join(bin, 'postgres'), args, directory, user);
  await accepts(port, 'PostgreSQL');
  return {
    version: programVersion(join(bin, 'postgres')),
    url: (database) => `postgresql://bench@127.0.0.1:${port}/${database}`,
    stop: async () => {
      // Fast shutdown: it does not wait for clients.
      await child.stop('SIGINT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function idOf(flag) {
  return Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
}

export async function startRestate(directory, { concurrency }) {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const binary = fileURLToPath(new URL('../node_modules/.bin/restate-server', import.meta.url));
  const env = {
    PATH: process.env.PATH,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
    RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
    RESTATE_LISTEN_MODE: 'tcp',
    RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: String(concurrency),
    RESTATE_DISABLE_TELEMETRY: 'true',
    RESTATE_LOG_FILTER: 'warn',
    // All addresses above are of the loopback interface.
    DO_NOT_TRACK: '1',
  };
  const child = startProgram(binary, ['--no-logo', '--base-dir', join(directory, 'restate')], directory, { env });
  const [ingressUrl, adminUrl] = [`http://127.0.0.1:${ingress}`, `http://127.0.0.1:${admin}`];
  await until(
    () =>
      fetch(`${adminUrl}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    "Restate's start",
    60_000,
  );
  return {
    ingressUrl,
    adminUrl,
    pid: onlyChildOf(child.pid),
    version: programVersion(binary),
    stop: () => child.stop(),
  };
}

/** The npm package starts the server by a script. Of Linux only, as is all that is told of a process. */
function onlyChildOf(pid) {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null;
}

async function accepts(port, what) {
  const isOpen = () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  await until(isOpen, `${what}'s start`, 60_000);
}
