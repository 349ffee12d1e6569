import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OnboardingClient } from '../../src/client/index.js';
import {
  CAPTURE_QUERIES,
  CAPTURE_SIGNALS,
  type CaptureInput,
  type CapturePlan,
  type CaptureStage,
  type CaptureState,
  type CaptureWorkflow,
  onboardingWorkflowId,
  type SuspectedOrphan,
} from '../../src/contract/index.js';
import { passTime, type SimulatedOperation } from '../../src/testing/index.js';
import { EXECUTIVE_USER, IMAGE_CANARY } from '../support/capture-world.js';
import { failedTasks, textOf } from '../support/history.js';
import { CA_FILE, type ImageHost, startImageHost } from '../support/image-stores.js';
import { jpeg } from '../support/images.js';
import { imageWorker, type ProcessWorld, startProcessWorld } from '../support/process-world.js';
import { API_KEY } from '../support/world.js';

// `capture-crashes.test.ts` kills workers during the calls of every person. These are the other stages.

const SIDES = ['front', 'back', 'selfie'] as const;
const image = (name: string) => jpeg({ content: `${IMAGE_CANARY} ${name}` });

let world: ProcessWorld;
let people: OnboardingClient['people'];
let host: ImageHost;
/** Lets the image host answer. Until then, the worker waits for the image, and asks again after 30 s. */
let answerImage: () => void;

beforeEach(async () => {
  const answered = new Promise<Buffer>((resolve) => {
    answerImage = () => resolve(image('front of the host'));
  });
  host = await startImageHost(() => ({ '/front.jpg': answered }));
  const env = (directory: string) => ({
    ...imageWorker(directory),
    INCODE_IMAGE_HOSTS: host.host,
    NODE_EXTRA_CA_CERTS: CA_FILE,
    ...EXECUTIVE_USER,
  });
  const write = async (directory: string) => {
    for (const side of SIDES) await writeFile(join(directory, `${side}.jpg`), image(side));
  };
  world = await startProcessWorld(env, write, { timeSkipping: true });
  people = new OnboardingClient({ client: world.client }).people;
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

type Handle = WorkflowHandle<CaptureWorkflow>;

const IMAGES = Object.fromEntries(SIDES.map((side) => [side, { uri: `file:${side}.jpg` }])) as Pick<
  CaptureInput,
  (typeof SIDES)[number]
>;

async function start(reference: string, plan: CapturePlan = {}, parts: Partial<CaptureInput> = {}): Promise<Handle> {
  const asked = { government: true, watchlist: true, ...plan };
  const { workflowId } = await people.start({ reference, ...IMAGES, plan: asked, ...parts });
  return world.client.workflow.getHandle<CaptureWorkflow>(workflowId);
}

async function untilStage(handle: Handle, stage: CaptureStage): Promise<void> {
  await expect.poll(async () => (await handle.query<CaptureState>(CAPTURE_QUERIES.state)).stage).toBe(stage);
}

function sessionsOf(reference: string) {
  return world.simulator.sessions().filter(({ externalCustomerId }) => externalCustomerId?.startsWith(`${reference}~`));
}

/** How a person is brought into a stage and held there, and what must be true in the end. */
interface Case {
  reference: string;
  stage: CaptureStage;
  bring(reference: string): Promise<Handle>;
  /** What happens while no worker runs. */
  meanwhile?(handle: Handle, reference: string): Promise<unknown> | undefined;
  /** What happens once another worker runs. */
  afterwards?(handle: Handle): Promise<unknown>;
  /** How often Incode has answered each call. @default once */
  answered?: Partial<Record<SimulatedOperation, number>>;
  /** @default none */
  orphans?: number;
  /** @default nothing */
  purged?: keyof typeof DELETIONS;
}

/** These calls name their session where the simulator does not look for it. Each is that of one person only. */
const DELETIONS = { images: 'deleteSessions', session: 'deleteSession' } as const;

/** The call hangs, and then each further call of the person, who so stays in this stage. */
async function hangAt(reference: string, operation: SimulatedOperation, effect: boolean, plan: CapturePlan = {}) {
  const { simulator } = world;
  const isDeletion = Object.values<SimulatedOperation>(DELETIONS).includes(operation);
  const whose = isDeletion ? { operation } : { externalCustomerId: reference };
  const hanging = () => simulator.callsOf(undefined, operation).filter(({ fault }) => fault === 'hang').length;
  const before = hanging();
  simulator.fault({ operation, ...whose, kind: 'hang', effect });
  const handle = await start(reference, plan);
  await expect.poll(hanging).toBe(before + 1);
  simulator.fault({ ...whose, kind: 'hang', times: null });
  return handle;
}

const CASES: Case[] = [
  {
    reference: 'purging-images',
    stage: 'purging',
    bring: (reference) => hangAt(reference, 'deleteSessions', false, { purge: 'images' }),
    purged: 'images',
  },
  {
    reference: 'purging-session',
    stage: 'purging',
    bring: (reference) => hangAt(reference, 'deleteSession', true, { purge: 'session' }),
    // The repeat finds nothing, which counts as deleted.
    purged: 'session',
  },
  {
    reference: 'completing-finished',
    stage: 'completing',
    bring: (reference) => hangAt(reference, 'finishStatus', true),
    answered: { finishStatus: 0 },
  },
  {
    reference: 'completing-unfinished',
    stage: 'completing',
    bring: (reference) => hangAt(reference, 'finishStatus', false),
  },
  {
    reference: 'watchlist-searched',
    stage: 'watchlist',
    bring: (reference) => hangAt(reference, 'watchlist', true),
  },
  {
    reference: 'watchlist-not-searched',
    stage: 'watchlist',
    bring: (reference) => hangAt(reference, 'watchlist', false),
  },
  {
    reference: 'government-asked',
    stage: 'government',
    bring: (reference) => hangAt(reference, 'governmentValidation', true),
    answered: { governmentValidation: 0 },
  },
  {
    reference: 'government-not-asked',
    stage: 'government',
    bring: (reference) => hangAt(reference, 'governmentValidation', false),
  },
  {
    reference: 'needs-image',
    stage: 'needsImage',
    bring: (externalCustomerId) => {
      const answer = { failReason: 'DOCUMENT_NOT_READABLE' };
      world.simulator.script({ operation: 'addFrontId', externalCustomerId, times: 1, answer });
      return start(externalCustomerId, { onRefusedImage: 'wait' });
    },
    afterwards: () => people.replaceImage('needs-image', 'front', { uri: 'file:selfie.jpg' }),
    answered: { addFrontId: 2 },
  },
  {
    reference: 'finding-session',
    stage: 'findingSession',
    bring: (reference) => loseStart(reference),
    // The webhook of the only session comes while no worker runs.
    meanwhile: (handle, reference) => {
      const [{ interviewId, externalCustomerId } = { interviewId: '', externalCustomerId: '' }] = sessionsOf(reference);
      return handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId, externalCustomerId });
    },
  },
  {
    reference: 'finding-no-session',
    stage: 'findingSession',
    bring: (reference) => loseStart(reference),
    afterwards: ({ workflowId }) => passTime(world.client, workflowId, '61 minutes'),
    orphans: 1,
  },
  {
    reference: 'needs-token',
    stage: 'needsToken',
    bring: (externalCustomerId) => {
      const operation = 'processFace';
      world.simulator.fault({ operation, externalCustomerId, kind: 'status', status: 401, times: null });
      return start(externalCustomerId);
    },
  },
  {
    reference: 'pinning',
    stage: 'pinning',
    bring: async (reference) => {
      const handle = await start(reference, {}, { front: { uri: `https://${host.host}/front.jpg` } });
      await expect.poll(() => host.asked.length).toBeGreaterThan(0);
      return handle;
    },
    meanwhile: async () => answerImage(),
  },
];

/** The session is opened, and its answer is lost. */
function loseStart(reference: string): Promise<Handle> {
  world.simulator.fault({ operation: 'start', externalCustomerId: reference, kind: 'reset', effect: true });
  return start(reference, { findSessionWithin: '1 hour' });
}

const CALLS: SimulatedOperation[] = [
  'addFrontId',
  'addBackId',
  'processId',
  'addFace',
  'processFace',
  'governmentValidation',
  'watchlist',
  'finishStatus',
];

/** Incode's id of a suspected orphan, which the result does not know. */
function sessionOf({ externalCustomerId }: SuspectedOrphan): string {
  return String(world.simulator.sessions(externalCustomerId)[0]?.interviewId);
}

async function expectSound(handle: Handle, { reference, answered, orphans = 0, purged }: Case): Promise<void> {
  const { simulator, client } = world;
  const { interviewId, suspectedOrphans, onboarding, idProcessed, ...result } = await handle.result();
  expect({ outcome: onboarding?.outcome, idProcessed, purged: result.purged }, reference).toEqual({
    outcome: 'approved',
    idProcessed: true,
    purged,
  });
  // Of all sessions that were opened for the person, one is used, and the result names the others.
  const isDeleted = purged === 'session';
  const ids = sessionsOf(reference).map((one) => one.interviewId);
  const used = isDeleted ? [] : [interviewId];
  expect(ids.toSorted(), reference).toEqual([...used, ...suspectedOrphans.map(sessionOf)].toSorted());
  expect(suspectedOrphans, reference).toHaveLength(orphans);
  for (const orphan of suspectedOrphans) expect(simulator.callsOf(sessionOf(orphan), 'addFrontId')).toEqual([]);

  // A call that hung may have failed. Every other call is the first one, or repeats a call that may have failed.
  const answeredCalls = (operation: SimulatedOperation, of?: string) =>
    simulator.callsOf(of, operation).filter(({ fault }) => fault === null).length;
  const answers = Object.fromEntries(CALLS.map((operation) => [operation, answeredCalls(operation, interviewId)]));
  const once = Object.fromEntries(CALLS.map((operation) => [operation, 1]));
  expect(answers, reference).toEqual({ ...once, ...answered });
  if (purged) expect(answeredCalls(DELETIONS[purged]), reference).toBe(1);

  const session = client.workflow.getHandle(onboardingWorkflowId(interviewId));
  const histories = [await handle.fetchHistory(), await session.fetchHistory()];
  expect(histories.flatMap(failedTasks), reference).toEqual([]);
  const seen = `${histories.map((history) => textOf(history)).join('')}${await world.log()}`;
  for (const secret of [IMAGE_CANARY, API_KEY]) expect(seen.includes(secret), secret).toBe(false);
}

it.each([
  ['of a worker', async () => world.killWorker()],
  [
    'of a worker and of the server',
    async () => {
      await Promise.all([world.killServer(), world.killWorker()]);
      await world.restartServer();
    },
  ],
])(
  'after SIGKILL %s in any stage, another worker completes the person and repeats only what may have failed',
  async (_, kill) => {
    const begun: [Handle, Case][] = [];
    for (const one of CASES) {
      const handle = await one.bring(one.reference);
      await untilStage(handle, one.stage);
      begun.push([handle, one]);
    }
    // Nobody has left their stage.
    for (const [handle, { stage }] of begun) await untilStage(handle, stage);
    await kill();
    world.simulator.clearFaults();
    for (const [handle, { meanwhile, reference }] of begun) await meanwhile?.(handle, reference);
    await world.startWorker();
    await Promise.all(begun.map(([handle, { afterwards }]) => afterwards?.(handle)));
    for (const [handle, one] of begun) await expectSound(handle, one);
  },
);
