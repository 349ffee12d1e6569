import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Agent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpsImages } from '../../../dist/images/index.js';
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

const certificate = (name: string) => readFileSync(new URL(`../../support/tls/${name}`, import.meta.url), 'utf8');

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

  it.each([
    ['the same host, which has no image there', (host: string) => `https://${host}/signed/front.jpg?${QUERY_CANARY}`],
    ['another host', () => `https://elsewhere.example/front.jpg?${QUERY_CANARY}`],
  ])('histories and logs contain no query of a redirect to %s', async (_, target) => {
    const asked: (string | undefined)[] = [];
    const tls = { key: certificate('server.key'), cert: certificate('server.pem') };
    const server = createServer(tls, ({ url }, response) => {
      asked.push(url);
      if (url?.startsWith('/signed/')) response.writeHead(404).end(QUERY_CANARY);
      else response.writeHead(302, { location: target(host) }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const dispatcher = new Agent({ connect: { ca: certificate('ca.pem') } });
    await using own = await startCaptureWorld({ imageSources: [httpsImages({ hosts: [host], dispatcher })] });

    const handle = await own.start(await own.person({ front: { uri: `https://${host}/front.jpg` } }));
    const failure = await failureOf(Promise.resolve(handle));
    expect(failure.type).toBe(FAILURES.imageUnusable);
    // The worker has really met the query, there or in the redirect.
    expect(asked).toEqual(
      target(host).includes(host) ? ['/front.jpg', `/signed/front.jpg?${QUERY_CANARY}`] : ['/front.jpg'],
    );
    expectNoCanary(`${failure.message} ${textOf(await handle.fetchHistory())} ${own.logs()}`);
    await dispatcher.destroy();
    server.close();
    server.closeAllConnections();
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
