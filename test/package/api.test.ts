import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PINNED = join(ROOT, 'api');

let generated: string;
// Uses the published declarations in dist.
beforeAll(async () => {
  generated = await mkdtemp(join(tmpdir(), 'temporal-incode-api-'));
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'api-report.js'), generated]);
});
afterAll(() => rm(generated, { recursive: true, force: true }));

const HINT = 'Run `npm run api` and review the diff of api/. docs/versions.md says what may change';

it('api/ has exactly one report for each entry of the package, and one for the commands', async () => {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const entries = Object.keys(exports).filter((path) => !path.endsWith('.json'));
  const expected = [...entries.map((path) => `${path.slice('./'.length)}.api.md`), 'cli.txt'].sort();
  expect((await readdir(PINNED)).sort(), HINT).toEqual(expected);
  expect((await readdir(generated)).sort()).toEqual(expected);
});

it.each(await readdir(PINNED))('the public API equals the report %s', async (name) => {
  const [pinned, now] = await Promise.all([PINNED, generated].map((at) => readFile(join(at, name), 'utf8')));
  expect(now, HINT).toBe(pinned);
});
