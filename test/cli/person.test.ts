import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { CaptureInput } from '../../src/client/index.js';
import { captureWorkflowId } from '../../src/contract/index.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { run } from '../support/cli.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

// A program takes seconds to start on a loaded machine.
vi.setConfig({ testTimeout: 240_000 });

const target = ['--address', inject('temporalAddress')];
const cli = (...args: string[]) => run([...args, ...target]);
const people = () => world.onboarding.people;

async function personInNeedOfFront(): Promise<CaptureInput> {
  const input = await world.person({ plan: { onRefusedImage: 'wait' } });
  const { sha256 } = await pinned(world, input.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  await people().start(input, { batchId: input.reference });
  await expect.poll(async () => (await people().state(input.reference)).state?.stage).toBe('needsImage');
  return input;
}

describe('the command status with the reference of a person', () => {
  it('prints the stage, the answer about the image, and the command that hands in another one', async () => {
    const { reference } = await personInNeedOfFront();
    const { code, stdout } = await cli('status', reference);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^person +${reference}$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^workflow +${captureWorkflowId(reference)}$`, 'm'));
    expect(stdout).toMatch(/^stage +needsImage$/m);
    expect(stdout).toMatch(/^waits for +another image: front/m);
    expect(stdout).toMatch(/^front +refused DOCUMENT_NOT_READABLE/m);
    expect(stdout).toMatch(/^deadline +in 6d/m);
    const next = `temporal-incode replace-image ${reference} ${target.join(' ')} --side front --image PATH`;
    expect(stdout).toMatch(new RegExp(`^next +${next}$`, 'm'));
    expect(stdout).toContain('Stage: needsImage');
    await people().cancel(reference);
  });

  it('names the command for the session that the person waits for', async () => {
    const { reference } = await people().start(await world.person({ plan: { finishWhen: 'asked' } }));
    await expect.poll(async () => (await people().state(reference)).session?.state?.stage).toBe('waiting');
    const { stdout } = await cli('status', reference);
    const interviewId = String((await people().state(reference)).state?.interviewId);
    expect(stdout).toMatch(/^session stage +waiting$/m);
    expect(stdout).toMatch(/^session waits for +someone to finish it/m);
    expect(stdout).toMatch(new RegExp(`^next +temporal-incode status ${interviewId} `, 'm'));
    await people().cancel(reference);
  });

  it('suspects no orphan while a running person waits for the answer of the first request', async () => {
    // Each answer says that there is no session, so the request is repeated.
    world.simulator.fault({ operation: 'start', kind: 'status', status: 429, times: 1_000 });
    const { reference } = await people().start(await world.person());
    await expect.poll(async () => (await people().state(reference)).state?.suspectedOrphans.length).toBe(1);
    const { stdout } = await cli('status', reference);
    expect(stdout).toMatch(/^stage +starting$/m);
    expect(stdout).not.toContain('suspected orphans');
    await people().cancel(reference);
    await expect.poll(async () => (await people().state(reference)).status).toBe('cancelled');
    world.simulator.clearFaults();
    expect((await cli('status', reference)).stdout).toMatch(new RegExp(`^suspected orphans +${reference}~`, 'm'));
  });

  it('prints how the onboarding ended, as facts and as JSON', async () => {
    const done = await world.person();
    await people().start(done);
    const { interviewId } = await people().result(done.reference);
    const { stdout } = await cli('status', done.reference);
    expect(stdout).toMatch(new RegExp(`^session +${interviewId}$`, 'm'));
    expect(stdout).toMatch(/^outcome +approved$/m);
    expect(stdout).toMatch(/^selfie +accepted$/m);
    const { stdout: printed } = await cli('status', done.reference, '--json');
    expect(JSON.parse(printed)).toMatchObject({ reference: done.reference, status: 'completed', session: null });
  });

  it('prints why a person has failed, and how to start the person again', async () => {
    const failed = await world.person();
    await unlink(join(world.directory, failed.front.uri.slice('file:'.length)));
    await people().start(failed);
    await people()
      .result(failed.reference)
      .catch(() => undefined);
    const { code, stdout } = await cli('status', failed.reference);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^failure +Person .* does not exist.*\(ImageUnusable\)$/m);
    expect(stdout).toMatch(/^next +temporal-incode capture --retry-failed/m);
  });
});

describe('the command replace-image', () => {
  it('hands in the image that a person waits for', async () => {
    const { reference } = await personInNeedOfFront();
    const image = await world.image();
    const ran = await cli('replace-image', reference, '--side', 'front', '--image', image.uri);
    expect(ran).toMatchObject({ code: 0, stdout: `Person ${reference} has the new image of the front.\n` });
    expect((await people().result(reference)).images.front?.assessment).toBe('accepted');
    const late = await cli('replace-image', reference, '--side', 'front', '--image', image.uri, '--json');
    expect(late).toMatchObject({ code: 5, stderr: expect.stringContaining(`Person ${reference}`) });
  });

  it('says which image is needed besides', async () => {
    const input = await world.person({ plan: { onRefusedImage: 'wait' } });
    const { reference } = input;
    world.simulator.script({ operation: 'processId', times: 1, httpStatus: 400, code: 6000 });
    await people().start(input);
    await expect.poll(async () => (await people().state(reference)).state?.needs).toEqual(['front', 'back']);
    expect((await cli('status', reference)).stdout).toMatch(/^and then +temporal-incode replace-image .* --side back/m);
    const { uri } = await world.image();
    const replaced = await cli('replace-image', reference, '--side', 'front', '--image', uri);
    expect(replaced.stdout).toBe(
      `Person ${reference} has the new image of the front. It still needs another image of the back.\n`,
    );
    await people().cancel(reference);
  });

  it('exits with 2 for an image that is not needed, and for missing or invalid options', async () => {
    const { reference } = await personInNeedOfFront();
    const image = ['--image', 'file:a.jpg'];
    const refused = await cli('replace-image', reference, '--side', 'selfie', ...image);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('is in the stage needsImage') });
    expect(await cli('replace-image', reference, ...image)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Which image?'),
    });
    const invalid = await cli(
      'replace-image',
      reference,
      '--side',
      'front',
      '--image',
      'https://images.example/a.jpg?v=1',
    );
    expect(invalid).toMatchObject({ code: 2, stderr: expect.stringContaining('--image must have no query') });
    await people().cancel(reference);
  });

  it('exits with 2 for an image that the worker cannot use, and says why', async () => {
    const { reference } = await personInNeedOfFront();
    const unusable = await cli('replace-image', reference, '--side', 'front', '--image', 'file:missing.jpg');
    expect(unusable).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('does not exist') });
    expect(unusable.stderr).toContain('The person goes on waiting for another image of the front.');
    await people().cancel(reference);
  });

  it('exits with 4 for a person who was never started', async () => {
    const unknown = await cli('replace-image', 'nobody', '--side', 'front', '--image', 'file:a.jpg');
    expect(unknown).toMatchObject({ code: 4, stderr: expect.stringContaining('Person nobody') });
  });
});

describe('the command replace-image with a path', () => {
  it('takes a path below the image directories of workers, as a manifest does', async () => {
    const { reference } = await personInNeedOfFront();
    const path = (await world.image()).uri.slice('file:'.length);
    expect(await cli('replace-image', reference, '--side', 'front', '--image', path)).toMatchObject({ code: 0 });
    expect((await people().result(reference)).images.front?.assessment).toBe('accepted');
  });
});

describe('the command list --people', () => {
  it('lists people by stage and batch', async () => {
    const { reference } = await personInNeedOfFront();
    const list = (...args: string[]) => cli('list', '--people', '--batch', reference, ...args);
    await expect.poll(async () => (await list('--stage', 'needsImage')).stdout).toContain(reference);
    const { stdout } = await list('--json', '--status', 'open');
    expect(JSON.parse(stdout)).toMatchObject({ reference, stage: 'needsImage', batchId: reference });
    expect((await list()).stdout).toMatch(/^PERSON +STATUS +STAGE/);
    expect((await cli('list', '--people', '--batch', 'unknown')).stderr).toContain(
      'temporal-incode capture --status --batch-id unknown',
    );
    await people().cancel(reference);
  });

  it('shows the stage and the outcome of the session of each person', async () => {
    const batch = `list-${randomUUID()}`;
    const approved = await world.person({ reference: `o'neil-${randomUUID()}` });
    const inReview = await world.person({ customFields: { simulate: 'review' }, plan: { review: 'wait' } });
    for (const person of [approved, inReview]) await people().start(person, { batchId: batch });
    const { interviewId } = await people().result(approved.reference);
    await expect
      .poll(async () => (await people().state(inReview.reference)).session?.state?.stage, { timeout: 20_000 })
      .toBe('inReview');
    const listed = async () => {
      const { stdout } = await cli('list', '--people', '--batch', batch, '--json');
      const lines = stdout.trim().split('\n');
      return lines.map((line) => JSON.parse(line)).sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    };
    await expect.poll(listed, { timeout: 20_000 }).toMatchObject([
      { reference: approved.reference, interviewId, outcome: 'approved' },
      { reference: inReview.reference, stage: 'inReview', outcome: null },
    ]);
    const { stdout } = await cli('list', '--people', '--batch', batch, '--wide');
    expect(stdout).toMatch(new RegExp(`^${approved.reference} +completed +\\S* +approved `, 'm'));
    await people().cancel(inReview.reference);
  });

  it('exits with 2 for a filter that people do not have', async () => {
    expect(await cli('list', '--people', '--stage', 'inReview')).toMatchObject({ code: 2 });
    expect(await cli('list', '--people', '--outcome', 'approved')).toMatchObject({ code: 2 });
    expect(await cli('list', '--stage', 'needsImage')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('add --people'),
    });
  });
});

describe('the command cancel with the reference of a person', () => {
  it('cancels the person, and exits with 5 the next time', async () => {
    const { reference } = await personInNeedOfFront();
    const cancelled = await cli('cancel', reference, '--yes', '--json');
    expect(cancelled.code).toBe(0);
    expect(JSON.parse(cancelled.stdout)).toEqual({ reference, cancelled: true });
    expect((await people().state(reference)).status).toBe('cancelled');
    expect((await cli('status', reference)).stdout).not.toMatch(/^(waits for|deadline)/m);
    expect(await cli('cancel', reference, '--yes')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(`The onboarding of person ${reference} has already ended (cancelled)`),
    });
  });

  it('exits with 5 for a person who is decided, and with 4 for an unknown id', async () => {
    const { reference } = await people().start(await world.person());
    await people().result(reference);
    expect(await cli('cancel', reference, '--yes')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('has already ended (completed, approved)'),
    });
    expect(await cli('cancel', 'nobody', '--yes')).toMatchObject({ code: 4 });
  });
});
