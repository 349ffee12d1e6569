import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

export interface Project {
  directory: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * An empty project with only this package installed, packed as npm would publish it. The lockfile pins the versions of this repository,
 * so that a dependency's new release cannot fail a test and npm's cache is sufficient.
 */
export async function installedProject(): Promise<Project> {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-light-'));
  // dist is already built, and other tests may be using it.
  await npm(ROOT, ['pack', '--ignore-scripts', '--pack-destination', directory]);
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  await writeFile(join(directory, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await writeFile(join(directory, 'package-lock.json'), await lockfile());
  await npm(directory, ['install', '--prefer-offline', '--no-audit', '--no-fund', `./temporal-incode-${version}.tgz`]);
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

async function lockfile(): Promise<string> {
  const { packages, ...rest } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  const ofUsers = Object.entries<{ dev?: boolean }>(packages).filter(([path, { dev }]) => path !== '' && !dev);
  return JSON.stringify({ ...rest, packages: { '': {}, ...Object.fromEntries(ofUsers) } });
}

async function npm(cwd: string, args: string[]): Promise<void> {
  // Removes the settings of the npm that runs these tests, and keeps the machine's own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(cache|registry|userconfig)$)/i.test(name)),
  );
  await run('npm', [...args, '--loglevel=error'], { cwd, env, shell: process.platform === 'win32' });
}
