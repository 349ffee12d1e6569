import { randomUUID } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureWorkflowId, onboardingWorkflowId } from '../../src/contract/index.js';
import { severalPeople } from '../support/capture-batch.js';
import { type CaptureCommand, startCaptureCommand } from '../support/capture-command.js';
import { type CaptureWorld, EXECUTIVE_USER } from '../support/capture-world.js';
import { run } from '../support/cli.js';
import { textOf } from '../support/history.js';
import { API_KEY } from '../support/world.js';

/** In what Incode has read from the ID. */
const CANARY = 'ocr-value-that-only-the-file-may-have';

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

/** The modes of the files in a directory, noted until `stop` is called. */
function modesIn(where: string): { stop(): Set<string> } {
  const modes = new Set<string>();
  const note = () => {
    for (const name of readdirSync(where)) {
      const stats = statSync(join(where, name), { throwIfNoEntry: false });
      if (stats) modes.add((stats.mode & 0o777).toString(8));
    }
  };
  const timer = setInterval(note, 1);
  return {
    stop() {
      clearInterval(timer);
      note();
      return modes;
    },
  };
}

describe('capture --ocr', () => {
  it('writes what Incode has read from each ID into a file, and nowhere else', async () => {
    const people = await severalPeople(world, 2);
    const [manifest, ocr, scores, results] = [
      await manifestOf(people),
      path('ocr.csv'),
      path('scores.csv'),
      path('results.csv'),
    ];
    world.simulator.script({ operation: 'ocrData', answer: { name: { fullName: CANARY }, note: `=${CANARY}` } });
    world.simulator.fault({ operation: 'ocrData', kind: 'status', status: 503, message: CANARY, times: 1 });
    const ran = await capture([manifest, '--ocr', ocr, '--scores', scores, '--out', results]);
    world.simulator.clearScripts();
    expect(ran.code, ran.stderr).toBe(0);
    const text = await readFile(ocr, 'utf8');
    const [header = ''] = text.split('\n');
    expect(header.split(',').slice(0, 4)).toEqual(['reference', 'interviewId', 'problem', 'ocrData.name.fullName']);
    for (const { reference } of people) expect(text).toContain(`\n${reference},`);
    expect(text.split(`,${CANARY},`)).toHaveLength(3);
    expect(text.split(`'=${CANARY}`)).toHaveLength(3);

    const others = [ran.stdout, ran.stderr, await readFile(scores, 'utf8'), await readFile(results, 'utf8')];
    for (const { reference } of people) {
      const handle = world.temporal.workflow.getHandle(captureWorkflowId(reference));
      const { interviewId } = (await handle.result()) as { interviewId: string };
      const child = world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId));
      others.push(textOf(await handle.fetchHistory()), textOf(await child.fetchHistory()));
    }
    others.push(await batchHistories(), world.logs());
    // Otherwise the search could not fail.
    expect(others.join('\n')).toContain(people[0]?.reference);
    expect(others.join('\n')).not.toContain(CANARY);
    expect(await readdir(command.directory)).toEqual(expect.not.arrayContaining([expect.stringMatching(/\.tmp$/)]));
  });

  it('gives the file mode 600 from the beginning, also if one exists that others may read', async () => {
    const own = join(command.directory, randomUUID());
    await mkdir(own);
    const manifest = await manifestOf(await severalPeople(world, 1));
    const ocr = join(own, 'ocr.ndjson');
    const modes = modesIn(own);
    const { code, stderr } = await capture([manifest, '--ocr', ocr]);
    expect([...modes.stop()]).toEqual(['600']);
    expect(code, stderr).toBe(0);

    await chmod(ocr, 0o644);
    expect((await capture([manifest, '--ocr', ocr])).code).toBe(0);
    expect((await stat(ocr)).mode & 0o777).toBe(0o600);
  });

  it('writes NDJSON too, and names the person whose values cannot be read', async () => {
    const people = await severalPeople(world, 2);
    const [manifest, ocr] = [await manifestOf(people), path('ocr.ndjson')];
    world.simulator.fault({ operation: 'ocrData', kind: 'status', status: 404, message: CANARY });
    const { code, stderr } = await capture([manifest, '--ocr', ocr]);
    expect(code).toBe(6);
    expect(stderr).toContain(
      `The OCR values of 1 person could not be read: the column problem in ${ocr} says why. Run the command again.`,
    );
    const rows = (await readFile(ocr, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ reference }) => reference)).toEqual(people.map(({ reference }) => reference));
    const [unread, read] = rows[0].problem === undefined ? [rows[1], rows[0]] : rows;
    expect(unread).toEqual({
      reference: expect.any(String),
      interviewId: expect.any(String),
      problem: expect.stringContaining('404'),
    });
    expect(read.ocr).toMatchObject({ 'ocrData.documentNumber': 'S0000000', 'ocrData.birthDate': '631152000000' });
    expect(`${JSON.stringify(rows)}${stderr}`).not.toContain(CANARY);
  });

  it.each<[name: string, args: (manifest: string) => string[], env: Record<string, string>, message: string]>([
    [
      'without an executive token',
      () => ['--ocr', path('o.csv')],
      {},
      '--ocr reads from Incode with an executive token',
    ],
    [
      'with --purge',
      () => ['--ocr', path('o.csv'), '--purge', 'images'],
      EXECUTIVE_USER,
      '--ocr cannot be combined with --purge, which deletes the OCR values',
    ],
    ['with stdout as its file', () => ['--ocr', '-'], EXECUTIVE_USER, '--ocr needs the name of a file'],
    ['with the manifest as its file', (manifest) => ['--ocr', manifest], EXECUTIVE_USER, '--ocr is the input file'],
    [
      'with the file of the scores',
      (manifest) => ['--ocr', `${manifest}.csv`, '--scores', `${manifest}.csv`],
      EXECUTIVE_USER,
      '--ocr and --scores are the same file',
    ],
  ])('starts nobody %s', async (_, args, user, message) => {
    const people = await severalPeople(world, 1);
    const manifest = await manifestOf(people);
    const env = { INCODE_BASE_URL: world.simulator.url, INCODE_API_KEY: API_KEY, ...user };
    const { code, stderr } = await capture([manifest, ...args(manifest)], env);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(people.flatMap((person) => world.sessionsOf(person))).toEqual([]);
  });

  it('names the risk in its help', async () => {
    const { stdout } = await run(['capture', '--help']);
    expect(stdout).toContain('Anyone who can read the file can impersonate');
  });
});

/** The histories of all batches of this worker. */
async function batchHistories(): Promise<string> {
  const query = `WorkflowType = "captureBatch" AND TaskQueue = "${world.taskQueue}"`;
  let text = '';
  for await (const { workflowId } of world.temporal.workflow.list({ query })) {
    text += textOf(await world.temporal.workflow.getHandle(workflowId).fetchHistory());
  }
  expect(text).not.toBe('');
  return text;
}
