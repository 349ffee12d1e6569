import { afterAll, beforeAll, expect, it } from 'vitest';
import { startWebhookListener, type WebhookListener } from '../../../src/cli/verify/webhook-listener.js';

let listener: WebhookListener;
let url: string;
beforeAll(async () => {
  // Nothing listens there: the public URL leads nowhere.
  listener = await startWebhookListener('http://127.0.0.1:1/', 0);
  url = `http://127.0.0.1:${listener.port}/any/path`;
});
afterAll(() => listener.close());

async function deliver(body: string): Promise<number> {
  return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status;
}

const FINISHED = 'ONBOARDING_FINISHED';

it('takes a delivery about a session that is expected', async () => {
  listener.expect('own-1');
  expect(await deliver(JSON.stringify({ interviewId: 'own-1', onboardingStatus: FINISHED }))).toBe(200);
  expect(listener.deliveriesOf('own-1')).toMatchObject([{ understood: true, onboardingStatus: FINISHED }]);
});

it('forgets earlier deliveries when the session is expected again', async () => {
  listener.expect('own-2');
  await deliver(JSON.stringify({ interviewId: 'own-2', onboardingStatus: FINISHED }));
  listener.expect('own-2');
  expect(listener.deliveriesOf('own-2')).toEqual([]);
});

it('does not count an earlier milestone that comes late', async () => {
  listener.expect('own-3');
  expect(await deliver(JSON.stringify({ interviewId: 'own-3', onboardingStatus: 'ID_VALIDATION_FINISHED' }))).toBe(200);
  expect(listener.deliveriesOf('own-3')).toEqual([]);
});

it('finds a delivery whose fields have other names, and says that it is not understood', async () => {
  listener.expect('own-4');
  expect(await deliver(JSON.stringify({ session: { id: 'own-4' }, state: 'done' }))).toBe(200);
  expect(listener.deliveriesOf('own-4')).toMatchObject([{ understood: false }]);
});

it.each([
  ['about another session', JSON.stringify({ interviewId: 'foreign', onboardingStatus: FINISHED })],
  ['without JSON', 'hello'],
  ['without a body', ''],
  ['of more than 64 KiB', JSON.stringify({ interviewId: 'own-1', padding: 'x'.repeat(70_000) })],
])('answers 503 to a delivery %s, so that it is sent again later', async (_, body) => {
  expect(await deliver(body)).toBe(503);
});

it('says that the public URL does not lead to it', async () => {
  expect(await listener.isReachable()).toBe(false);
});

it('says that the public URL leads to it', async () => {
  // A port that is free, for the URL has to be known before.
  const { port, close } = await startWebhookListener(url, 0);
  await close();
  const reached = await startWebhookListener(`http://127.0.0.1:${port}/hook`, port);
  expect(await reached.isReachable()).toBe(true);
  await reached.close();
});
