import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { hadolint } from '../../scripts/tools.js';
import { readDockerfile, textsOf } from '../support/dockerfile.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const stages = await readDockerfile();
const last = stages.at(-1);
if (!last) throw new Error('The Dockerfile has no stage');

it('hadolint finds nothing in the Dockerfile', async () => {
  const { stdout } = await promisify(execFile)(await hadolint(), [
    '--failure-threshold',
    'style',
    join(ROOT, 'Dockerfile'),
  ]);
  expect(stdout).toBe('');
});

it('each base image is pinned to a digest, and runs a version of Node that the package is tested with', async () => {
  const tested = (await readFile(join(ROOT, '.github/workflows/test.yml'), 'utf8')).match(/node: \[(.*)\]/)?.[1];
  for (const { image } of stages) {
    expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
    const [, major] = /node(?:js|:)(\d+)/.exec(image) ?? [];
    expect(tested?.split(', ')).toContain(major);
  }
});

it('the image runs the CLI itself, without a shell, as a user with a number above 0', () => {
  const exec = (keyword: string) => textsOf(last, keyword).map((text) => JSON.parse(text));
  expect(exec('ENTRYPOINT')).toEqual([['/nodejs/bin/node', '/opt/temporal-incode/dist/cli/main.js']]);
  expect(exec('CMD')).toEqual([['--help']]);
  expect(textsOf(last, 'USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
  expect(textsOf(last, 'RUN')).toEqual([]);
});

it('the build gets the files that the Dockerfile copies, and no others', async () => {
  const ignore = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).split('\n').filter((line) => /^[^#]/.test(line));
  const [first, ...allowed] = ignore;
  expect(first).toBe('*');
  const copied = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, options }) => keyword === 'COPY' && !options.from)
    .flatMap(({ text }) => text.split(' ').slice(0, -1));
  expect(allowed.map((line) => line.slice(1)).sort()).toEqual([...new Set(copied)].sort());
  const inRoot = await readdir(ROOT);
  for (const path of copied) expect(inRoot).toContain(path.split('/')[0]);
});

it('the build stage installs and builds as a checkout does', async () => {
  const build = stages.find(({ name }) => name === 'build');
  if (!build) throw new Error('There is no stage "build"');
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  expect(textsOf(build, 'RUN')).toEqual([expect.stringMatching(/^npm ci /), 'npm run build']);
  expect(scripts.build).toBe('node scripts/build.js');
});
