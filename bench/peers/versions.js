import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Ours are installed beside the product, the others beside the benchmark. */
const FOLDERS = ['../node_modules/', '../../node_modules/'];

/** @returns names and versions as they are installed, for a peer's `versions` */
export function packages(...names) {
  return Object.fromEntries(names.map((name) => [name, installed(name)]));
}

function installed(name) {
  for (const folder of FOLDERS) {
    try {
      return JSON.parse(readFileSync(new URL(`${folder}${name}/package.json`, import.meta.url), 'utf8')).version;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`${name} is not installed`);
}

/** @returns what a server's program says of itself, such as `7.0.15` */
export function programVersion(binary) {
  const said = execFileSync(binary, ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? said.trim();
}
