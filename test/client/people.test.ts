import { randomUUID } from 'node:crypto';
import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CaptureInput,
  captureBatch,
  OnboardingClient,
  PersonDiffersError,
  PersonEndedError,
  PersonFailedError,
  PersonHasSessionError,
  PersonImageUnusableError,
  PersonNotFoundError,
  PersonPendingError,
  PersonWrongStageError,
} from '../../src/client/index.js';
import { CAPTURE_WORKFLOW, captureWorkflowId, FAILURES, type ImageReference } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { jpeg } from '../support/images.js';
import { thrown } from '../support/thrown.js';

let world: CaptureWorld;
let people: OnboardingClient['people'];
beforeAll(async () => {
  world = await startCaptureWorld();
  people = world.onboarding.people;
});
afterAll(() => world[Symbol.asyncDispose]());

const WAIT = { plan: { onRefusedImage: 'wait' } } as const;

/** A person whose front cannot be used, so that the onboarding waits for another one. */
async function personInNeedOfFront(): Promise<CaptureInput> {
  const input = await world.person(WAIT);
  const { sha256 } = await pinned(world, input.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  await people.start(input);
  await expect.poll(async () => (await people.state(input.reference)).state?.stage).toBe('needsImage');
  return input;
}

async function failedPerson(): Promise<CaptureInput> {
  const input = await world.person();
  await unlink(join(world.directory, input.front.uri.slice('file:'.length)));
  await people.start(input);
  await people.result(input.reference).catch(() => undefined);
  return input;
}

/** Incode refuses the front, after a session was opened. */
async function personFailedInSession(): Promise<CaptureInput> {
  const input = await world.person({ plan: { onRefusedImage: 'fail' } });
  const { sha256 } = await pinned(world, input.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  await people.start(input);
  await people.result(input.reference).catch(() => undefined);
  return input;
}

describe('people.start', () => {
  it('starts the onboarding of a person, and result returns how it ended', async () => {
    const input = await world.person();
    const started = await people.start(input);
    expect(started).toMatchObject({ reference: input.reference, workflowId: captureWorkflowId(input.reference) });
    expect(started).toMatchObject({ attached: false, plan: { onRefusedImage: 'continue', score: true } });
    const result = await people.result(input.reference);
    expect(result).toMatchObject({ reference: input.reference, onboarding: { outcome: 'approved' } });
    expect(result.interviewId).toBe(world.sessionsOf(input)[0]?.interviewId);
  });

  it('attaches to the onboarding of the same request, also after it has ended', async () => {
    const input = await world.person();
    const starts = await Promise.all(Array.from({ length: 10 }, () => people.start(input)));
    expect(starts.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(new Set(starts.map(({ runId }) => runId)).size).toBe(1);
    await people.result(input.reference);
    expect(await people.start(input)).toEqual({ ...starts[0], attached: true });
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('counts an equivalent request as the same', async () => {
    const input = await world.person({
      customFields: { branch: 'Boston', desk: '4' },
      plan: { processDeadline: '15 minutes', close: true },
    });
    await people.start(input);
    const { sha256 } = await pinned(world, input.front);
    const equivalent: CaptureInput = {
      ...input,
      front: { ...input.front, sha256 },
      countryCode: 'ALL',
      customFields: { desk: '4', branch: 'Boston' },
      plan: { processDeadline: '15m' },
    };
    expect(await people.start(equivalent)).toMatchObject({ attached: true, plan: { close: true } });
    await people.result(input.reference);
  });

  it('refuses another request under the same reference, and names what differs', async () => {
    const front = await pinned(world, await world.image());
    const input = await world.person({ front, customFields: { branch: 'Boston' } });
    await people.start(input);
    const { back: _, ...oneSided } = input;
    const others: [string[], CaptureInput][] = [
      [['front'], { ...input, front: { ...front, sha256: 'b'.repeat(64) } }],
      [['back'], oneSided],
      [['selfie'], { ...input, selfie: await world.image() }],
      [['configurationId'], { ...input, configurationId: 'another-flow' }],
      [['countryCode', 'customFields'], { ...input, countryCode: 'USA', customFields: {} }],
      [['plan.purge', 'plan.close'], { ...input, plan: { purge: 'images', close: true, score: true } }],
    ];
    for (const [differs, other] of others) {
      const refused = await thrown(people.start(other));
      expect(refused).toBeInstanceOf(PersonDiffersError);
      expect(refused).toMatchObject({ reference: input.reference, differs });
      expect(refused.message).toContain(`Person ${input.reference}`);
      expect(refused.message).toContain(differs.join(', '));
    }
  });

  it('refuses a digest of another image than the workflow has read, and accepts that of an image handed in later', async () => {
    const input = await personInNeedOfFront();
    const { sha256 } = await pinned(world, input.front);
    const other = await world.image();
    const front = { ...input.front, sha256: (await pinned(world, other)).sha256 };
    expect(await thrown(people.start({ ...input, front }))).toMatchObject({ differs: ['front'] });
    await writeFile(
      join(world.directory, input.front.uri.slice('file:'.length)),
      await readFile(join(world.directory, other.uri.slice('file:'.length))),
    );
    await people.replaceImage(input.reference, 'front', input.front);
    for (const known of [front, { ...input.front, sha256 }, input.front]) {
      expect((await people.start({ ...input, front: known })).attached).toBe(true);
      expect((await people.result(input.reference, { person: { ...input, front: known } })).onboarding?.outcome).toBe(
        'approved',
      );
    }
    const unread = { ...input, front: { ...input.front, sha256: 'b'.repeat(64) } };
    expect(await thrown(people.result(input.reference, { person: unread }))).toMatchObject({ differs: ['front'] });
  });

  it('returns no result about another image than the request names, if the workflow has read it only after the call', async () => {
    const input = (await world.person(WAIT)) as CaptureInput & { selfie: ImageReference };
    const front = await pinned(world, input.front);
    const path = ({ uri }: ImageReference) => join(world.directory, uri.slice('file:'.length));
    const selfie = await readFile(path(input.selfie));
    await unlink(path(input.selfie));
    await people.start(input);
    const { reference } = input;
    await expect.poll(async () => (await people.state(reference)).state?.stage).toBe('needsImage');
    const listed = thrown(people.result(reference, { person: { ...input, front } }));
    // The call has compared before it waits.
    await thrown(people.result(reference, { person: { ...input, front }, timeoutMs: 2_000 }));
    await writeFile(path(input.front), jpeg({ content: 'another front' }));
    const read = await pinned(world, input.front);
    await writeFile(path(input.selfie), selfie);
    await people.replaceImage(reference, 'selfie', input.selfie);
    const refused = await listed;
    expect(refused).toBeInstanceOf(PersonDiffersError);
    expect(refused).toMatchObject({ reference, differs: ['front'] });
    const result = await people.result(reference, { person: { ...input, front: read } });
    expect(result.onboarding?.outcome).toBe('approved');
  });

  it.each([
    ['the same request', async (input: CaptureInput) => input],
    ['corrected images', async (input: CaptureInput) => ({ ...input, front: await world.image() })],
  ])('starts a person again with %s who failed before a session was opened', async (_, corrected) => {
    const input = await failedPerson();
    const request = await corrected(input);
    await writeFile(join(world.directory, input.front.uri.slice('file:'.length)), jpeg());
    expect((await people.start(request)).attached).toBe(false);
    expect((await people.result(input.reference)).onboarding?.outcome).toBe('approved');
    expect((await people.start(request)).attached).toBe(true);
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('leaves a person alone who has failed with a session, and starts the person again with retryFailed', async () => {
    const input = await personFailedInSession();
    const other = { ...input, front: await world.image() };
    expect((await people.start(input)).attached).toBe(true);
    await expect(people.start(other)).rejects.toBeInstanceOf(PersonDiffersError);
    expect((await people.start(other, { retryFailed: true })).attached).toBe(false);
    expect((await people.result(input.reference)).onboarding?.outcome).toBe('approved');
    // Completed people are not started again.
    expect((await people.start(other, { retryFailed: true })).attached).toBe(true);
    expect(world.sessionsOf(input)).toHaveLength(2);
  });

  it.each([
    ['before a session was opened', {}, failedPerson],
    ['after a session was opened', { retryFailed: true }, personFailedInSession],
  ])('starts a person who failed %s once, although many callers do so at the same time', async (_, how, failed) => {
    const input = await failed();
    await writeFile(join(world.directory, input.front.uri.slice('file:'.length)), jpeg());
    const sessions = world.sessionsOf(input).length;
    const clients = Array.from({ length: 20 }, () => {
      return new OnboardingClient({ client: world.temporal, taskQueue: world.taskQueue }).people;
    });
    const started = await Promise.all(clients.map((client) => client.start(input, how)));
    expect(started.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(new Set(started.map(({ runId }) => runId)).size).toBe(1);
    expect((await people.result(input.reference)).onboarding?.outcome).toBe('approved');
    expect(world.sessionsOf(input)).toHaveLength(sessions + 1);
  });

  it('refuses an invalid person before anything is sent', async () => {
    const input = await world.person();
    const refused = await thrown(people.start({ ...input, front: { uri: 'https://login@images.example/a.jpg' } }));
    expect(refused).toMatchObject({ name: 'InvalidInputError', field: 'front.uri' });
    await expect(people.state(input.reference)).rejects.toBeInstanceOf(PersonNotFoundError);
  });

  it('lets a list know with which images the person was started', async () => {
    const input = await world.person();
    await people.start(input, { batchId: 'by-hand' });
    await people.result(input.reference);
    const other = { ...input, back: await world.image() };
    const [same] = await all(captureBatch(world.onboarding, [input]));
    const [differs] = await all(captureBatch(world.onboarding, [other]));
    expect([same?.outcome, differs?.failure?.type]).toEqual(['approved', FAILURES.personDiffers]);
  });

  it('leaves the reference to a list with other images if the person failed before a session was opened', async () => {
    const input = await failedPerson();
    const [same] = await all(captureBatch(world.onboarding, [input]));
    expect(same?.failure?.type).toBe(FAILURES.imageUnusable);
    const [corrected] = await all(captureBatch(world.onboarding, [{ ...input, front: await world.image() }]));
    expect(corrected?.outcome).toBe('approved');
    const [next] = await all(captureBatch(world.onboarding, [{ ...input, front: await world.image() }]));
    expect(next?.failure?.type).toBe(FAILURES.personDiffers);
    expect(world.sessionsOf(input)).toHaveLength(1);
  });
});

/** The person's workflow has ended, and that of the session waits for somebody. */
async function personWithOpenSession(end: 'terminate' | 'cancel'): Promise<[CaptureInput, interviewId: string]> {
  const input = await world.person({ plan: { finishWhen: 'asked' } });
  await people.start(input);
  const inSession = async () => (await people.state(input.reference)).session?.state?.stage;
  await expect.poll(inSession).toBe('waiting');
  await world.temporal.workflow.getHandle(captureWorkflowId(input.reference))[end]();
  await people.result(input.reference).catch(() => undefined);
  return [input, String(world.sessionsOf(input)[0]?.interviewId)];
}

describe('people.start with retryFailed', () => {
  it('refuses a terminated person whose session is still being completed or has been completed', async () => {
    const [input, interviewId] = await personWithOpenSession('terminate');
    const again = { ...input, plan: {} };
    const refused = await thrown(people.start(again, { retryFailed: true }));
    expect(refused).toBeInstanceOf(PersonHasSessionError);
    expect(refused).toMatchObject({ reference: input.reference, interviewId, status: 'running' });
    expect(refused.message).toContain(`session ${interviewId} of the earlier run is still being completed`);
    await world.onboarding.finish({ interviewId });
    await world.onboarding.result(interviewId);
    const completed = await thrown(people.start(again, { retryFailed: true }));
    expect(completed).toMatchObject({ name: 'PersonHasSessionError', interviewId, status: 'completed' });
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('names the session of a cancelled run in suspectedOrphans, also after another run has failed', async () => {
    const [input, interviewId] = await personWithOpenSession('cancel');
    const first = { externalCustomerId: world.sessionsOf(input)[0]?.externalCustomerId, interviewId };
    const { sha256 } = await pinned(world, input.front);
    world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
    await people.start({ ...input, plan: { onRefusedImage: 'fail' } }, { retryFailed: true });
    const failed = await thrown(people.result(input.reference));
    expect(failed).toMatchObject({ type: FAILURES.imageRefused, details: { suspectedOrphans: [first] } });
    const session = world.sessionsOf(input)[1];
    const second = { externalCustomerId: session?.externalCustomerId, interviewId: session?.interviewId };
    await people.start({ ...input, plan: {}, front: await world.image() }, { retryFailed: true });
    const { state } = await people.state(input.reference);
    expect(state?.suspectedOrphans.slice(0, 2)).toEqual([first, second]);
    expect((await people.result(input.reference)).suspectedOrphans).toEqual([first, second]);
  });

  it('names a session that Incode may have opened for a run that was terminated meanwhile', async () => {
    const input = await world.person();
    world.simulator.fault({ operation: 'start', kind: 'status', status: 429, times: null });
    await people.start(input);
    await expect.poll(async () => (await people.state(input.reference)).state?.stage).toBe('starting');
    await world.temporal.workflow.getHandle(captureWorkflowId(input.reference)).terminate();
    world.simulator.clearFaults();
    await people.start(input, { retryFailed: true });
    const orphan = {
      externalCustomerId: expect.stringMatching(new RegExp(`^${input.reference}~[0-9a-f]{12}$`)),
      interviewId: null,
    };
    const result = await people.result(input.reference);
    expect(result.suspectedOrphans).toEqual([orphan]);
    expect(result.suspectedOrphans[0]?.externalCustomerId).not.toBe(result.externalCustomerId);
  });

  it('names the sessions that webhooks have named, and none that Incode refused to open', async () => {
    const input = await world.person({ plan: { findSessionWithin: '1 day' } });
    world.simulator.fault({ operation: 'start', kind: 'reset', effect: true });
    await people.start(input);
    await expect.poll(async () => (await people.state(input.reference)).state?.stage).toBe('findingSession');
    const { externalCustomerId = '', interviewId = '' } = world.sessionsOf(input)[0] ?? {};
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    const handle = world.temporal.workflow.getHandle(captureWorkflowId(input.reference));
    await handle.signal('sessionStarted', {
      externalCustomerId: `${input.reference}~000000000000`,
      interviewId: 'other',
    });
    await handle.signal('sessionStarted', { externalCustomerId, interviewId });
    await expect.poll(async () => (await people.state(input.reference)).state?.stage).toBe('matchingFace');
    await handle.terminate();
    world.simulator.clearFaults();
    await people.start(input, { retryFailed: true });
    expect((await people.result(input.reference)).suspectedOrphans).toEqual([{ externalCustomerId, interviewId }]);
  });
});

describe('people.replaceImage', () => {
  it('hands in the image that a person waits for', async () => {
    const input = await personInNeedOfFront();
    const { state, status, session } = await people.state(input.reference);
    expect({ status, session, needs: state?.needs }).toEqual({ status: 'running', session: null, needs: ['front'] });
    const image = await world.image();
    const updateId = randomUUID();
    await people.replaceImage(input.reference, 'front', image, { updateId });
    // A repeated request changes nothing.
    await people.replaceImage(input.reference, 'front', image, { updateId });
    const { images, interviewId } = await people.result(input.reference);
    expect(images.front?.assessment).toBe('accepted');
    expect(world.uploads(interviewId)).toEqual(['front', 'front again', 'back', 'face']);
  });

  it('refuses an image that the worker cannot use, and the person goes on waiting', async () => {
    const { reference } = await personInNeedOfFront();
    const refused = await thrown(people.replaceImage(reference, 'front', { uri: 'file:missing.jpg' }));
    expect(refused).toBeInstanceOf(PersonImageUnusableError);
    expect(refused).toMatchObject({ reference, side: 'front', problem: 'missing' });
    expect(refused.message).toMatch(
      /^Person .+: front: The image file:missing.jpg does not exist .+\. The person goes on waiting for another image of the front\.$/,
    );
    const { state } = await people.state(reference);
    expect(state).toMatchObject({ stage: 'needsImage', images: { front: { failReason: 'DOCUMENT_NOT_READABLE' } } });
    await people.cancel(reference);
  });

  it('refuses an image that the person does not wait for', async () => {
    const { reference } = await personInNeedOfFront();
    const refused = await thrown(people.replaceImage(reference, 'selfie', await world.image()));
    expect(refused).toBeInstanceOf(PersonWrongStageError);
    expect(refused.message).toContain(`Person ${reference} is in the stage needsImage`);
    await expect(people.replaceImage(reference, 'front', { uri: 'no-scheme' })).rejects.toMatchObject({
      name: 'InvalidInputError',
      field: 'replaceImage.image.uri',
    });
    await people.cancel(reference);
    await people.result(reference).catch(() => undefined);
    const ended = await thrown(people.replaceImage(reference, 'front', await world.image()));
    expect(ended).toBeInstanceOf(PersonEndedError);
    expect(ended.message).toContain(`Person ${reference}`);
  });
});

describe('people.result', () => {
  it('throws why the onboarding failed, with what is known of the person', async () => {
    const { reference } = await failedPerson();
    const failure = await thrown(people.result(reference));
    expect(failure).toBeInstanceOf(PersonFailedError);
    expect(failure).toMatchObject({
      type: FAILURES.imageUnusable,
      reference,
      details: { side: 'front', interviewId: null },
    });
    expect(failure.message).toContain(`Person ${reference}`);
    const { status, failure: why, closedAt } = await people.state(reference);
    expect(status).toBe('failed');
    expect(why).toEqual({ type: FAILURES.imageUnusable, message: expect.stringContaining('does not exist') });
    expect(closedAt).toBeInstanceOf(Date);
  });

  it('throws instead of the verdict of a run that somebody else has started with other images', async () => {
    const input = await personFailedInSession();
    const other = { ...input, plan: {}, front: await world.image(), countryCode: 'USA' };
    const somebody = new OnboardingClient({ client: world.temporal, taskQueue: world.taskQueue }).people;
    await somebody.start(other, { retryFailed: true });
    expect((await somebody.result(input.reference)).onboarding?.outcome).toBe('approved');
    const refused = await thrown(people.result(input.reference));
    expect(refused).toBeInstanceOf(PersonDiffersError);
    expect(refused).toMatchObject({ reference: input.reference, differs: ['front', 'countryCode'] });
    expect(refused.message).toContain('so its result is not that of your request');
    // A caller in another process names the request.
    await expect(somebody.result(input.reference, { person: input })).rejects.toBeInstanceOf(PersonDiffersError);
    expect((await people.result(input.reference, { person: other })).onboarding?.outcome).toBe('approved');
  });

  it('follows a run that somebody else has started with the same request', async () => {
    const input = await personFailedInSession();
    world.simulator.clearScripts();
    const somebody = new OnboardingClient({ client: world.temporal, taskQueue: world.taskQueue }).people;
    await somebody.start(input, { retryFailed: true });
    expect((await people.result(input.reference)).onboarding?.outcome).toBe('approved');
  });

  it('throws after the timeout for what the person waits, and the onboarding continues', async () => {
    const { reference } = await personInNeedOfFront();
    const pending = await thrown(people.result(reference, { timeoutMs: 300 }));
    expect(pending).toBeInstanceOf(PersonPendingError);
    expect(pending).toMatchObject({ reference, stage: 'needsImage', hasWorker: true });
    expect(pending.message).toBe(
      `Person ${reference}: no answer within 0.3 s. It waits for another image: front (update replaceImage). Repeat the request after that.`,
    );
    expect((await people.state(reference)).status).toBe('running');
  });

  it('says what the session of the person waits for', async () => {
    const input = await world.person({ plan: { finishWhen: 'asked' } });
    await people.start(input);
    const inSession = async () => (await people.state(input.reference)).session?.state?.stage;
    await expect.poll(inSession).toBe('waiting');
    const pending = await thrown(people.result(input.reference, { timeoutMs: 300 }));
    expect(pending).toMatchObject({ stage: 'completing', waitingFor: expect.stringContaining('finish') });
    const { state } = await people.state(input.reference);
    await world.onboarding.finish({ interviewId: String(state?.interviewId) });
    expect((await people.result(input.reference)).onboarding?.outcome).toBe('approved');
  });

  it('names the task queue that no worker polls', async () => {
    const taskQueue = `nobody-${randomUUID()}`;
    const lonely = new OnboardingClient({ client: world.temporal, taskQueue }).people;
    const input = await world.person();
    await lonely.start(input);
    const pending = await thrown(lonely.result(input.reference, { timeoutMs: 300 }));
    expect(pending).toMatchObject({ hasWorker: false, stage: null });
    expect(pending.message).toContain(`No worker polls the task queue ${taskQueue}`);
    await world.temporal.workflow.getHandle(captureWorkflowId(input.reference)).terminate();
  });

  it.each(['its own', 'any'])(
    'names the session of the run that has failed, when following %s request',
    async (whose) => {
      const input = await personInNeedOfFront();
      const { reference } = input;
      const { state } = await people.state(reference);
      const client = whose === 'any' ? new OnboardingClient({ client: world.temporal }).people : people;
      const failed = thrown(client.result(reference));
      // Until the client follows the run. A second result of the same client is no later than the first one.
      await thrown(client.result(reference, { timeoutMs: 500 }));
      // In one request, so that the next run is there before anybody sees that the first one has ended.
      const next = await world.temporal.workflow.start(CAPTURE_WORKFLOW, {
        workflowId: captureWorkflowId(reference),
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        taskQueue: `nobody-${randomUUID()}`,
        args: [input],
      });
      expect(await failed).toMatchObject({ type: 'Terminated', details: { interviewId: state?.interviewId } });
      await next.terminate();
    },
  );

  it('throws for a person who was never started', async () => {
    const unknown = await thrown(people.result('nobody'));
    expect(unknown).toBeInstanceOf(PersonNotFoundError);
    expect(unknown.message).toContain('Person nobody: the workflow incode-capture/nobody is not known');
  });
});

describe('people.cancel', () => {
  it('ends the onboarding of the person', async () => {
    const { reference } = await personInNeedOfFront();
    await people.cancel(reference);
    const { state } = await people.state(reference);
    expect(await thrown(people.result(reference))).toMatchObject({
      name: 'PersonFailedError',
      type: 'Cancelled',
      details: { interviewId: state?.interviewId, suspectedOrphans: [] },
    });
    // Nothing happens to an onboarding that has ended.
    await people.cancel(reference);
    await expect(people.cancel('nobody')).rejects.toBeInstanceOf(PersonNotFoundError);
  });
});

describe('the client of people', () => {
  it('does not show the connection when it is printed', () => {
    expect(inspect(people)).toBe(`{ taskQueue: '${world.taskQueue}' }`);
  });
});
