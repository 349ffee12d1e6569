import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../dist/testing/server/process.js';
import { Child } from './child.js';

const run = promisify(execFile);

/** Where Debian installs the programs of each version. */
const DEBIAN = '/usr/lib/postgresql';
/** PostgreSQL refuses to run as root. Debian's package creates this user. */
const UNPRIVILEGED = 'postgres';
const USER = 'temporal';

/** A private PostgreSQL on 127.0.0.1. Each write reaches the disk before it is confirmed, as in production. */
export class Postgres {
  #as = {};
  #bin;
  #data;
  #log;
  #child;
  port = 0;
  user = USER;
  password = randomBytes(16).toString('hex');

  /** @param directory must be open to other users as far as its name */
  constructor(directory) {
    this.#bin = findPrograms();
    this.#data = join(directory, 'postgres');
    this.#log = join(directory, 'postgres.log');
  }

  async create() {
    if (process.getuid?.() === 0) this.#as = await unprivileged();
    await mkdir(this.#data, { mode: 0o700 });
    await writeFile(this.#log, '');
    const passwordFile = `${this.#data}.password`;
    await writeFile(passwordFile, this.password, { mode: 0o600 });
    if (this.#as.uid !== undefined) {
      for (const path of [this.#data, passwordFile]) await chown(path, this.#as.uid, this.#as.gid);
    }
    const args = [
      '-D',
      this.#data,
      '-U',
      USER,
      '-E',
      'UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
    ];
    await run(join(this.#bin, 'initdb'), args, { ...this.#as, cwd: '/' });
    this.port = await freePort();
    const settings = [
      "listen_addresses = '127.0.0.1'",
      `port = ${this.port}`,
      "unix_socket_directories = ''",
      'max_connections = 300',
    ];
    await appendFile(join(this.#data, 'postgresql.conf'), `${settings.join('\n')}\n`);
    await chmod(this.#log, 0o600);
    await this.start();
  }

  async start() {
    this.#child = new Child('PostgreSQL', join(this.#bin, 'postgres'), ['-D', this.#data], {
      ...this.#as,
      cwd: '/',
      log: this.#log,
    });
    const isReady = () =>
      run(join(this.#bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(this.port)]).then(
        () => true,
        () => false,
      );
    await this.#child.ready(isReady);
  }

  get pid() {
    return this.#child?.pid;
  }

  /** @returns the values, a row a line, separated by `|` */
  async query(sql, database = 'temporal') {
    const args = ['-h', '127.0.0.1', '-p', String(this.port), '-U', USER, '-d', database, '-At', '-c', sql];
    const { stdout } = await run(join(this.#bin, 'psql'), args, { env: { ...process.env, PGPASSWORD: this.password } });
    return stdout.trim();
  }

  /** Ends connections and writes everything, as `pg_ctl stop -m fast` does. */
  async stop() {
    await this.#child?.end('SIGINT');
  }

  /** Kills every process of it, like a power failure. */
  async kill() {
    await this.#child?.kill();
  }
}

async function unprivileged() {
  const id = async (flag) => Number((await run('id', [flag, UNPRIVILEGED])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

function findPrograms() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const candidates = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  const found = candidates.find((directory) => existsSync(join(directory, 'initdb')));
  if (!found) throw new Error('PostgreSQL is missing. Install it, for example with: apt-get install postgresql');
  return found;
}
