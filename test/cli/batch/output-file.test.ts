import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openOutputFile } from '../../../src/cli/batch/output-file.js';
import { COLUMNS, openResults } from '../../../src/cli/batch/results.js';
import type { BatchItem } from '../../../src/client/index.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-output-test-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const path = (name: string) => join(directory, name);
const modeOf = async (file: string) => ((await lstat(file)).mode & 0o777).toString(8);

describe('the file named by --out', () => {
  it('creates a file that only its owner can read', async () => {
    const file = await openOutputFile(path('results.csv'));
    await file.append('text');
    expect(await modeOf(path(String((await readdir(directory))[0])))).toBe('600');
    await file.commit();
    expect(await modeOf(path('results.csv'))).toBe('600');
    expect(await readFile(path('results.csv'), 'utf8')).toBe('text');
  });

  it('keeps the mode of the file that it replaces', async () => {
    await writeFile(path('results.csv'), 'old');
    await chmod(path('results.csv'), 0o640);
    const file = await openOutputFile(path('results.csv'));
    await file.append('new');
    await file.commit();
    expect(await modeOf(path('results.csv'))).toBe('640');
    expect(await readFile(path('results.csv'), 'utf8')).toBe('new');
  });

  it('gives a private file mode 600 in place of the mode of the file that it replaces', async () => {
    await writeFile(path('ocr.csv'), 'old');
    await chmod(path('ocr.csv'), 0o644);
    const file = await openOutputFile(path('ocr.csv'), '--ocr', { isPrivate: true });
    await file.append('new');
    expect(await modeOf(file.path)).toBe('600');
    await file.commit();
    expect(await modeOf(path('ocr.csv'))).toBe('600');
    expect(await readFile(path('ocr.csv'), 'utf8')).toBe('new');
  });

  it.each([
    ['a symbolic link', async (out: string) => symlink(path('target'), out)],
    ['a FIFO', async (out: string) => execFileSync('mkfifo', [out])],
    ['a directory', async (out: string) => execFileSync('mkdir', [out])],
  ])('refuses %s', async (kind, make) => {
    await make(path('out'));
    await expect(openOutputFile(path('out'))).rejects.toThrow(
      `${path('out')} is ${kind}, and only a regular file can be replaced`,
    );
    expect(await readdir(directory)).toEqual(['out']);
  });

  it('refuses a device', async () => {
    await expect(openOutputFile('/dev/null')).rejects.toThrow('/dev/null is a device');
  });

  it('does not replace a symbolic link that appears while results are written', async () => {
    const file = await openOutputFile(path('out'));
    await symlink(path('target'), path('out'));
    await expect(file.commit()).rejects.toThrow('is a symbolic link');
    await file.discard();
    expect(await readdir(directory)).toEqual(['out']);
  });

  it('removes only temporary files that a killed process left more than an hour ago', async () => {
    const left = `.out.${'0a'.repeat(16)}.tmp`;
    const others = [`.out.${'0b'.repeat(16)}.tmp`, '.out.swp', '.out.notes.tmp', `.other.${'0c'.repeat(16)}.tmp`];
    for (const name of [left, ...others]) await writeFile(path(name), '');
    const old = new Date(Date.now() - 3_700_000);
    for (const name of [left, ...others.slice(1)]) await utimes(path(name), old, old);
    const file = await openOutputFile(path('out'));
    await file.discard();
    expect((await readdir(directory)).sort()).toEqual([...others].sort());
  });

  it('uses an unpredictable temporary name', async () => {
    const files = [await openOutputFile(path('out')), await openOutputFile(path('out'))];
    const names = await readdir(directory);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(basename(name)).toMatch(/^\.out\.[0-9a-f]{32}\.tmp$/);
    for (const file of files) await file.discard();
  });
});

describe('cells of CSV results', () => {
  const item = (redirectionUrl: string): BatchItem => ({
    index: 0,
    interviewId: 'a',
    outcome: 'approved',
    finish: { action: 'approved', redirectionUrl, confirmedBy: 'response' },
  });

  const written = async (text: string, raw: boolean) => {
    const out = path(raw ? 'raw.csv' : 'out.csv');
    const results = await openResults({ out, format: 'csv', input: '-', raw, columns: COLUMNS });
    await results.add(item(text));
    await results.finish();
    return readFile(out, 'utf8');
  };

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('escapes the formula %j', async (text) => {
    expect(await written(text, false)).toContain(`'${text}`);
    const raw = await written(text, true);
    expect(raw).toContain(text);
    expect(raw).not.toContain(`'${text}`);
  });

  it('keeps a URL unchanged', async () => {
    expect(await written('https://example.com/?a=-1', false)).toContain(',https://example.com/?a=-1,');
  });
});
