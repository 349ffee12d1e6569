import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type CapturePerson, FAILURES } from '../../src/contract/index.js';
import { severalPeople } from '../support/capture-batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { type Ran, run, start } from '../support/cli.js';

let world: CaptureWorld;
let directory: string;
let target: string[];
beforeAll(async () => {
  world = await startCaptureWorld();
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-people-'));
  target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue, '--images', world.directory];
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const path = (name: string) => join(directory, `${randomUUID()}-${name}`);
const capture = (...args: string[]): Promise<Ran> => run(['capture', ...args, ...target]);
const file = (image: { uri: string } | undefined) => image?.uri.slice('file:'.length) ?? '';
const sessionsOf = (people: CapturePerson[]) => people.map((person) => world.sessionsOf(person).length);

async function manifestOf(people: CapturePerson[]): Promise<string> {
  const manifest = path('people.csv');
  const rows = people.map(({ reference, front, back, selfie }) =>
    [reference, file(front), file(back), file(selfie)].join(','),
  );
  await writeFile(manifest, ['reference,front,back,selfie', ...rows, ''].join('\n'));
  return manifest;
}

describe('capture', () => {
  it('ends with 6 and says so if nothing was deleted that --purge names', async () => {
    const [person] = await severalPeople(world, 1);
    const { code, stderr } = await capture(await manifestOf([person as CapturePerson]), '--purge', 'images');
    expect(code).toBe(6);
    expect(stderr).toContain('Nothing was deleted at Incode for 1 person: the column purged says why.');
  });

  it('ends with 6 and says so for a person who was started before without --purge', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    await world.onboarding.people.start(person);
    await world.onboarding.people.result(person.reference);
    const out = path('results.csv');
    const { code, stderr } = await capture(await manifestOf([person]), '--purge', 'images', '--out', out);
    expect(code).toBe(6);
    expect(stderr).toContain('Nothing was deleted at Incode for 1 person: the column purged says why.');
    expect(await readFile(out, 'utf8')).toContain(',"started before, without purge",');
  });

  it('onboards the people of a manifest from image files, and writes results and a summary', async () => {
    const people = await severalPeople(world, 3);
    const [, refused] = people as [CapturePerson, CapturePerson];
    const { sha256 } = await pinned(world, refused.front);
    world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
    const out = path('results.csv');
    const args = [await manifestOf(people), '--out', out, '--on-refused-image', 'fail'];
    const { code, stdout, stderr } = await capture(...args);
    expect(code).toBe(6);
    expect(stderr).toMatch(/Batch people-[0-9a-f]{16}: 3 people/);
    expect(stderr).toContain('Retry the failed people:');
    expect(stdout).toMatch(/^people +3$/m);
    expect(stdout).toMatch(/^approved +2$/m);
    expect(stdout).toMatch(/^failed +1 \(IncodeImageRefused 1\)$/m);
    const [header, ...rows] = (await readFile(out, 'utf8')).trim().split('\n');
    expect(header).toBe(
      'reference,interviewId,outcome,reason,scoreStatus,scoreValue,front,back,selfie,faceConfidence,government,watchlistHits,notCompared,suspectedOrphans,purged,failureType,failureMessage',
    );
    expect(rows.map((row) => row.split(',').slice(0, 3))).toEqual(
      people.map((person, at) => [
        person.reference,
        world.sessionsOf(person)[0]?.interviewId,
        at === 1 ? '' : 'approved',
      ]),
    );
    expect(rows[0]).toContain(',OK,94.6,accepted,accepted,accepted,1,,,,,,,');
    expect(rows[1]).toContain(
      `,refused DOCUMENT_NOT_READABLE classification readability sharpness,,,,,,,,,${FAILURES.imageRefused},`,
    );
    expect((await stat(out)).mode & 0o777).toBe(0o600);

    // The same list is the same batch, and opens no second session.
    const again = await capture(...args, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ people: 3, outcomes: { approved: 2 }, failed: 1, results: out });
    expect((await readFile(out, 'utf8')).trim().split('\n')).toEqual([header, ...rows]);
    expect(sessionsOf(people)).toEqual([1, 1, 1]);

    // The image was replaced, so the person is onboarded.
    const other = await world.image('another picture');
    await writeFile(join(world.directory, file(refused.front)), await readFile(join(world.directory, file(other))));
    const retried = await capture(...args, '--retry-failed');
    expect(retried).toMatchObject({ code: 0, stdout: expect.stringMatching(/^approved +3$/m) });
    expect(sessionsOf(people)).toEqual([1, 2, 1]);
  });

  it('writes what Incode says of face, registry and watchlists where it was asked', async () => {
    const people = await severalPeople(world, 2);
    world.simulator.script({ operation: 'governmentValidation', times: 1, answer: { valid: false, statusCode: 5 } });
    world.simulator.script({ operation: 'processFace', times: 1, httpStatus: 400, code: 4019 });
    const asked = await capture(await manifestOf(people.slice(0, 1)), '--government', '--watchlist', '--out', '-');
    const [header, row] = asked.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    const cells = Object.fromEntries(header?.map((name, at) => [name, row?.[at]]) ?? []);
    expect(cells).toMatchObject({ faceConfidence: 'code 4019', government: 'invalid 5', watchlistHits: '0' });
  });

  it('reports no result of an image that was replaced at the same path since, unless it resumes', async () => {
    const people = await severalPeople(world, 2);
    const [, replaced] = people as [CapturePerson, CapturePerson];
    const manifest = await manifestOf(people);
    expect((await capture(manifest, '--json')).code).toBe(0);
    const other = await world.image('another picture');
    await writeFile(join(world.directory, file(replaced.back)), await readFile(join(world.directory, file(other))));
    const again = await capture(manifest, '--out', '-', '--out-format', 'ndjson');
    expect(again.code).toBe(6);
    const [first, second] = again.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({ outcome: 'approved' });
    expect(first).not.toHaveProperty('notCompared');
    expect(second).toMatchObject({ reference: replaced.reference, failure: { type: FAILURES.personDiffers } });
    expect(second.failure.message).toContain('the image of the back is another one');
    expect(second).not.toHaveProperty('outcome');
    const resumed = await capture(manifest, '--resume', '--json');
    expect(JSON.parse(resumed.stdout)).toMatchObject({ outcomes: { approved: 2 }, failed: 0 });
    expect(sessionsOf(people)).toEqual([1, 1]);
  });

  it('refuses a manifest with an invalid person, unless it skips them', async () => {
    const people = await severalPeople(world, 2);
    await unlink(join(world.directory, file(people[1]?.selfie)));
    const manifest = await manifestOf(people);
    const refused = await capture(manifest);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^Line 3: selfie file:.* does not exist$/m);
    expect(sessionsOf(people)).toEqual([0, 0]);
    const skipped = await capture(manifest, '--skip-invalid', '--out', '-', '--out-format', 'ndjson');
    expect(skipped.code).toBe(0);
    const rows = skipped.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toMatchObject([
      { reference: people[0]?.reference, outcome: 'approved', images: { front: 'accepted' } },
    ]);
  });

  it('finds the batch of a list from which it has left people out', async () => {
    const people = await severalPeople(world, 2);
    await unlink(join(world.directory, file(people[1]?.selfie)));
    const manifest = await manifestOf(people);
    const started = await capture(manifest, '--skip-invalid', '--json');
    const { batchId } = JSON.parse(started.stdout);
    expect(started.stderr).toContain(
      `Batch ${batchId} leaves out 1 person whose images cannot be used. Add --skip-invalid or --batch-id ${batchId} to --status`,
    );
    for (const found of [['--skip-invalid'], ['--batch-id', batchId]]) {
      const status = await capture(manifest, '--status', '--json', ...found);
      expect(JSON.parse(status.stdout)).toMatchObject({ batchId, total: 1, done: 1 });
    }
    const resumed = await capture(manifest, '--resume', '--skip-invalid', '--json');
    expect(JSON.parse(resumed.stdout)).toMatchObject({ batchId, people: 1, outcomes: { approved: 1 } });
    for (const action of ['--status', '--resume']) {
      const { code, stderr } = await capture(manifest, action);
      expect(code).toBe(4);
      expect(stderr).toMatch(/no such batch is known in this namespace\. .*--skip-invalid.*--batch-id/);
    }
  });

  it('names the lines of a repeated reference', async () => {
    const [person] = (await severalPeople(world, 1)) as [CapturePerson];
    const { code, stderr } = await capture(await manifestOf([person, person]));
    expect(code).toBe(2);
    expect(stderr).toContain(`Line 3: reference ${person.reference} is the same as on line 2`);
  });

  it('refuses an image that differs from the one beside the manifest', async () => {
    const people = await severalPeople(world, 2);
    const local = await mkdtemp(join(directory, 'local-'));
    for (const { front, back, selfie } of people) {
      for (const image of [front, back, selfie]) {
        await writeFile(join(local, file(image)), await readFile(join(world.directory, file(image))));
      }
    }
    const [, other] = people as [CapturePerson, CapturePerson];
    await writeFile(join(world.directory, file(other.front)), await readFile(join(local, file(other.back))));
    const ran = await run(['capture', await manifestOf(people), ...target.slice(0, -1), local, '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      outcomes: { approved: 1 },
      failures: { [FAILURES.imageUnusable]: 1 },
    });
    expect(sessionsOf(people)).toEqual([1, 0]);
  });

  it('detaches on Ctrl-C, shows the state, stops, and attaches again although the images are gone', async () => {
    const people = await severalPeople(world, 3);
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    const manifest = await manifestOf(people);
    const batchId = `cli-${randomUUID()}`;
    const named = [manifest, '--batch-id', batchId];
    const { child, ended } = start(['capture', ...named, ...target]);
    await expect.poll(() => sessionsOf(people)).toEqual([1, 1, 1]);
    child.kill('SIGINT');
    const detached = await ended;
    expect(detached.code).toBe(3);
    expect(detached.stderr).toContain('The batch continues on the server with 3 of 3 people');
    expect(detached.stderr).toContain('--resume');
    const status = await capture('--batch-id', batchId, '--status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ batchId, total: 3, waiting: 3 });
    expect(await capture('--batch-id', batchId, '--pause')).toMatchObject({ code: 0 });
    expect(await capture('--batch-id', batchId, '--unpause')).toMatchObject({ code: 0 });
    const stopped = await capture('--batch-id', batchId, '--stop');
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toContain(
      `Batch ${batchId} is stopped. 3 people have begun and go on: temporal-incode list`,
    );
    const goingOn = await capture('--batch-id', batchId, '--stop', '--json');
    expect(JSON.parse(goingOn.stdout)).toEqual({ batchId, stopped: true, shardsEnding: 0, peopleGoingOn: 3 });
    const after = await capture('--batch-id', batchId, '--status');
    expect(after.stdout).toMatch(/^stopped +3$/m);
    expect(after.stdout).not.toMatch(/^failed/m);
    world.simulator.clearFaults();
    for (const { reference } of people) await world.onboarding.people.result(reference);
    await Promise.all(people.map(({ front }) => unlink(join(world.directory, file(front)))));
    const resumed = await capture(...named, '--resume', '--retry-failed', '--json');
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ people: 3, outcomes: { approved: 3 }, failed: 0 });
    expect(sessionsOf(people)).toEqual([1, 1, 1]);
  });

  it('--stop --cancel-begun cancels the people who have begun, and --retry-failed starts them again', async () => {
    const people = await severalPeople(world, 2);
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    const manifest = await manifestOf(people);
    const batchId = `cli-${randomUUID()}`;
    const running = start(['capture', manifest, '--batch-id', batchId, ...target, '--json']).ended;
    await expect.poll(() => sessionsOf(people)).toEqual([1, 1]);
    expect(await capture(manifest, '--cancel-begun')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--cancel-begun goes with --stop'),
    });
    const { code, stdout } = await capture('--batch-id', batchId, '--stop', '--cancel-begun');
    expect(code).toBe(0);
    expect(stdout).toContain('2 people who had begun are cancelled. Their sessions remain at Incode, unfinished.');
    const ended = await running;
    expect(ended.code).toBe(6);
    expect(JSON.parse(ended.stdout)).toMatchObject({ people: 2, failed: 0, stopped: 2, failures: {} });
    expect(ended.stderr).toContain('Continue with the people who were stopped:');
    world.simulator.clearFaults();
    const again = await capture(manifest, '--batch-id', batchId, '--retry-failed', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ people: 2, outcomes: { approved: 2 } });
    expect(sessionsOf(people)).toEqual([2, 2]);
  });

  it('derives the id of the batch from the people, and exits with 4 for an unknown batch', async () => {
    const people = await severalPeople(world, 1);
    const manifest = await manifestOf(people);
    const dry = JSON.parse((await capture(manifest, '--dry-run', '--json')).stdout);
    expect(dry).toMatchObject({ people: 1, batchId: expect.stringMatching(/^people-[0-9a-f]{16}$/), dryRun: true });
    expect(await capture(manifest, '--resume')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(dry.batchId),
    });
    expect(await capture(manifest, '--status')).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(dry.batchId),
    });
    expect(sessionsOf(people)).toEqual([0]);
  });
});
