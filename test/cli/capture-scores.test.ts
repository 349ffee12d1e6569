import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { severalPeople } from '../support/capture-batch.js';
import { type CaptureCommand, startCaptureCommand } from '../support/capture-command.js';
import { type CaptureWorld, EXECUTIVE_USER } from '../support/capture-world.js';
import { API_KEY } from '../support/world.js';

let command: CaptureCommand;
let world: CaptureWorld;
let path: CaptureCommand['path'];
let capture: CaptureCommand['capture'];
let manifestOf: CaptureCommand['manifestOf'];
beforeAll(async () => {
  command = await startCaptureCommand();
  ({ world, path, capture, manifestOf } = command);
});
afterAll(() => command[Symbol.asyncDispose]());

describe('capture --scores', () => {
  it("writes Incode's verbose score of each person into a file for the user only", async () => {
    const people = await severalPeople(world, 2);
    const [manifest, scores] = [await manifestOf(people), path('scores.csv')];
    world.simulator.fault({ operation: 'score', kind: 'status', status: 503, times: 1, skip: 2 });
    const { code, stderr } = await capture([manifest, '--scores', scores]);
    expect(code, stderr).toBe(0);
    expect((await stat(scores)).mode & 0o777).toBe(0o600);
    const [header = '', ...rows] = (await readFile(scores, 'utf8')).trim().split('\n');
    expect(header.split(',').slice(0, 3)).toEqual(['reference', 'interviewId', 'problem']);
    const overall = header.split(',').indexOf('overall.value');
    expect(header).toContain('idValidation.photoSecurityAndQuality.postitCheck.value');
    expect(rows.map((row) => [row.split(',')[0], row.split(',')[2], row.split(',')[overall]])).toEqual(
      people.map(({ reference }) => [reference, '', '94.6']),
    );
  });

  it('keeps the file of an earlier run if no score can be read', async () => {
    const people = await severalPeople(world, 1);
    const [manifest, scores] = [await manifestOf(people), path('scores.csv')];
    await writeFile(scores, 'scores of an earlier run');
    world.simulator.fault({ operation: 'score', kind: 'status', status: 404, skip: 1 });
    const { code, stderr } = await capture([manifest, '--scores', scores]);
    expect(code).toBe(6);
    expect(stderr).toMatch(/1 score could not be read, so \S+scores.csv is kept as it was: .* 404/);
    expect(await readFile(scores, 'utf8')).toBe('scores of an earlier run');
  });

  it('writes NDJSON too, and names the person whose score cannot be read', async () => {
    const people = await severalPeople(world, 1);
    const [manifest, scores] = [await manifestOf(people), path('scores.ndjson')];
    expect((await capture([manifest])).code).toBe(0);
    world.simulator.fault({ operation: 'score', kind: 'status', status: 404 });
    const { code, stderr } = await capture([manifest, '--scores', scores]);
    expect(code).toBe(6);
    expect(stderr).toContain(`1 score could not be read: the column problem in ${scores} says why.`);
    expect(JSON.parse(await readFile(scores, 'utf8'))).toEqual({
      reference: people[0]?.reference,
      interviewId: expect.any(String),
      problem: expect.stringContaining('404'),
    });
  });

  it.each([
    [[], {}, '--scores reads from Incode with an executive token'],
    [['--purge', 'session'], EXECUTIVE_USER, '--scores cannot be combined with --purge session'],
  ])('starts nothing with %j and the variables %j', async (args, user, message) => {
    const people = await severalPeople(world, 1);
    const manifest = await manifestOf(people);
    const env = { INCODE_BASE_URL: world.simulator.url, INCODE_API_KEY: API_KEY, ...user };
    const { code, stderr } = await capture([manifest, '--scores', path('scores.csv'), ...args], env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(people.flatMap((person) => world.sessionsOf(person))).toEqual([]);
  });

  it('waits no longer than a minute for Incode, and leaves no temporary file', async () => {
    const people = await severalPeople(world, 1);
    const [manifest, scores] = [await manifestOf(people), path('scores.csv')];
    expect((await capture([manifest])).code).toBe(0);
    world.simulator.fault({ operation: 'score', kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    expect((await capture([manifest, '--scores', scores])).code).toBe(6);
    expect((await readdir(command.directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it.each<[name: string, out: (manifest: string) => string[], message: string]>([
    ['a directory', () => ['--scores', command.directory], 'is a directory'],
    ['the manifest', (manifest) => ['--scores', manifest], '--scores is the input file'],
    [
      'the results',
      (manifest) => ['--scores', `${manifest}.csv`, '--out', `${manifest}.csv`],
      '--scores and --out are the same file',
    ],
    ['stdout', () => ['--scores', '-'], '--scores needs the name of a file'],
  ])('refuses %s as its file before anything starts', async (_, out, message) => {
    const people = await severalPeople(world, 1);
    const manifest = await manifestOf(people);
    const { code, stderr } = await capture([manifest, ...out(manifest)]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(people.flatMap((person) => world.sessionsOf(person))).toEqual([]);
  });
});
