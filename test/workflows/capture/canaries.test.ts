import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES, onboardingWorkflowId } from '../../../src/contract/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  failureOf,
  IMAGE_CANARY,
  startCaptureWorld,
} from '../../support/capture-world.js';
import { billableActions, failedTasks, textOf } from '../../support/history.js';
import { API_KEY } from '../../support/world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** In the simulator's OCR, and in the answers that a test scripts. */
const OCR_CANARIES = ['SPECIMEN', 'S0000000', 'ocr-value-that-must-not-be-seen'];
const QUERY_CANARY = 'query-that-must-not-be-seen';

async function base64Of({ uri }: { uri: string }): Promise<string> {
  return (await readFile(join(world.directory, uri.slice('file:'.length)))).toString('base64');
}

async function everythingAbout(handle: CaptureHandle, interviewId: string | undefined): Promise<string> {
  const histories = [await handle.fetchHistory()];
  if (interviewId) {
    histories.push(await world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory());
  }
  return `${histories.map((history) => textOf(history)).join('')}\n${world.logs()}`;
}

function expectNoCanary(text: string, more: string[] = []): void {
  for (const canary of [IMAGE_CANARY, QUERY_CANARY, API_KEY, ...OCR_CANARIES, ...more]) {
    expect(text.includes(canary), canary).toBe(false);
  }
}

describe('histories and logs', () => {
  it('histories and logs of a completed person contain no image, no OCR value and no API key', async () => {
    const input = await world.person({ plan: { government: true, watchlist: true } });
    const ocr = { ocrData: { name: OCR_CANARIES[2] }, fullName: OCR_CANARIES[2] };
    for (const operation of ['addFrontId', 'processId', 'processFace', 'governmentValidation', 'watchlist'] as const) {
      world.simulator.script({ operation, times: 1, answer: ocr });
    }
    // A retry has its failure in the history.
    world.simulator.fault({ operation: 'addBackId', kind: 'status', status: 500, message: OCR_CANARIES[2] ?? '' });
    world.simulator.fault({ operation: 'processFace', kind: 'reset', effect: true });
    const handle = await world.start(input);
    const { interviewId } = await handle.result();
    const text = await everythingAbout(handle, interviewId);
    expect(text).toContain(input.front.uri);
    const images = await Promise.all(
      [input.front, input.back, input.selfie].map((image) => base64Of(image ?? input.front)),
    );
    expectNoCanary(
      text,
      images.map((image) => image.slice(0, 200)),
    );
    expectNoCanary(
      text,
      images.map((image) => image.slice(-200)),
    );
  });

  it('histories and logs of a person whose image cannot be read contain no query of a redirect', async () => {
    const input = await world.person({ front: { uri: 'https://127.0.0.1:9/front.jpg' } });
    const handle = await world.start(input);
    const failure = await failureOf(Promise.resolve(handle));
    expect(failure.type).toBe(FAILURES.imageUnusable);
    expectNoCanary(await everythingAbout(handle, undefined));
  });

  it('the history of a refused start contains its signed address, and the refusal does not', async () => {
    const input = await world.person();
    const signed = { ...input, front: { uri: `https://images.example/a.jpg?${QUERY_CANARY}` } };
    const handle = await world.start(signed);
    const failure = await failureOf(Promise.resolve(handle));
    const history = await handle.fetchHistory();
    expectNoCanary(`${failure.message} ${textOf(history, ['input'])}`);
  });
});

describe('a person with front, back, selfie and score', () => {
  it('costs at most 14 billable actions, without repeated polls of the score', async () => {
    const handle = await world.start(await world.person());
    const { interviewId } = await handle.result();
    const history = await handle.fetchHistory();
    const child = await world.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
    expect([history, child].flatMap(failedTasks)).toEqual([]);
    // One poll of the score, and the command that starts the session.
    expect(billableActions(history) + billableActions(child, ['score']) + 1 + 1).toBeLessThanOrEqual(14);
  });
});
