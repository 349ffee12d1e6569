import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import { onboardingReceiver } from '../../src/cli/local/receiver.js';
import type { WebhookTarget } from '../../src/testing/index.js';
import { freePort } from '../../src/testing/server/process.js';
import { begin, expectSound, finishElsewhere, stateOf, untilLooks, untilStage } from '../support/lifecycle.js';
import { deliver, spawnWebhooks, startWebhooks, type WebhooksProcess } from '../support/webhooks-process.js';
import { API_KEY, startTestWorld, type TestWorld } from '../support/world.js';

// Runs the command as a process, with real deliveries and a real Temporal server.

const SECRET = 'a-secret-that-must-not-be-seen';
const OAUTH_SECRET = 'another-secret-that-must-not-be-seen';
const HEADERS = { 'x-webhook-secret': SECRET };

let world: TestWorld;
let incode: TestWorld['simulator'];
let receiver: WebhooksProcess;
beforeAll(async () => {
  // Polls are a quarter of an hour apart, so any progress is due to a webhook.
  world = await startTestWorld({ tokenSource: (client) => reissuingTokenSource(client, { configurationId: 'flow' }) });
  incode = world.simulator;
  receiver = await start();
  incode.setWebhook(byHeader(receiver));
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function start(args: string[] = [], of = world): Promise<WebhooksProcess> {
  const env = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WEBHOOK_PORT: String(await freePort()),
    WEBHOOK_HEADER_SECRETS: SECRET,
    WEBHOOK_OAUTH_CLIENTS: `incode:${OAUTH_SECRET}`,
  };
  return startWebhooks(['--task-queue', of.taskQueue, ...args], env);
}

function byHeader({ delivery }: WebhooksProcess): WebhookTarget {
  return { url: delivery, headers: HEADERS };
}

function byToken({ delivery, token }: WebhooksProcess): WebhookTarget {
  return { url: delivery, oauth: { tokenUrl: String(token), clientId: 'incode', clientSecret: OAUTH_SECRET } };
}

function answersTo(interviewId: string): (number | null)[] {
  return incode.deliveries.filter((one) => one.interviewId === interviewId).map(({ httpStatus }) => httpStatus);
}

const PROCESSED = { plan: { finishWhen: 'processed' } } as const;

describe('a webhook delivery', () => {
  it.each([
    ['a header', byHeader],
    ['OAuth2', byToken],
  ])('a delivery with %s continues the session that waits for it', async (_, target) => {
    incode.setWebhook(target(receiver));
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    expect((await stateOf(world, interviewId)).stage).toBe('waiting');
    incode.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
    expect(await world.onboarding.result(interviewId)).toMatchObject({ outcome: 'approved' });
    await expect.poll(() => answersTo(interviewId)).toEqual([200, 200]);
    await expectSound(world, interviewId);
    incode.setWebhook(byHeader(receiver));
  });

  it('a delivery is answered in the format that Incode requires', async () => {
    const { interviewId } = await begin(world, PROCESSED);
    const answer = await deliver(receiver, { interviewId, onboardingStatus: 'ID_VALIDATION_FINISHED' }, HEADERS);
    expect(answer).toEqual({ status: 200, contentType: 'application/json', body: { success: true } });
    await world.onboarding.cancel(interviewId);
  });

  it('a delivery has reached the workflow when it is answered', async () => {
    const { interviewId } = await begin(world, { plan: { finishWhen: 'asked' } });
    await deliver(receiver, { interviewId, onboardingStatus: 'GOVERNMENT_VALIDATION_FINISHED' }, HEADERS);
    const { timeline } = await stateOf(world, interviewId);
    expect(timeline.at(-1)?.event).toBe('Webhook: GOVERNMENT_VALIDATION_FINISHED');
    await world.onboarding.cancel(interviewId);
  });

  it('a delivery that nothing waits for is counted and answered 200, and an invalid one is refused', async () => {
    await using one = await start();
    const { interviewId } = await begin(world);
    await world.onboarding.result(interviewId);
    const onboardingStatus = 'MANUAL_REVIEW_APPROVED';
    const sent = [
      await deliver(one, { interviewId: 'nobodys', onboardingStatus }, HEADERS),
      await deliver(one, { interviewId, onboardingStatus }, HEADERS),
      await deliver(one, { interviewId, event_type: 'SESSION_STARTED' }, HEADERS),
      await deliver(one, '{"interviewId": ', HEADERS),
      await deliver(one, { interviewId, onboardingStatus: 7 }, HEADERS),
      await deliver(one, { interviewId, onboardingStatus }),
      await deliver(one, { interviewId, onboardingStatus }, { 'x-webhook-secret': 'a-guess-of-a-stranger' }),
      await deliver(one, { interviewId, onboardingStatus }, { authorization: 'Bearer eyJ.e30.guess' }),
    ];
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 400, 400, 401, 401, 401]);
    expect(sent.every(({ contentType }) => contentType === 'application/json')).toBe(true);
    expect(await one.stop()).toMatchObject({
      code: 0,
      counts: { delivered: 0, unknownSession: 1, ended: 1, ignored: 1, malformed: 2, unauthenticated: 3 },
    });
    expect(one.events().map(({ httpStatus }) => httpStatus)).toEqual([200, 200, 200, 400, 400, 401, 401, 401]);
  });

  it('the receiver is healthy and ready', async () => {
    expect((await fetch(`${receiver.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${receiver.url}/readyz`)).status).toBe(200);
  });
});

it('sends one request to Temporal for many requests to /readyz', async () => {
  const ask = vi.spyOn(world.onboarding.temporal.workflowService, 'describeNamespace');
  await using one = onboardingReceiver(world.onboarding, { allowUnauthenticated: true });
  const { url } = await one.listen();
  const statuses = [];
  for (let at = 0; at < 20; at++) statuses.push((await fetch(`${url}/readyz`)).status);
  expect(statuses).toEqual(statuses.map(() => 200));
  expect(ask).toHaveBeenCalledTimes(1);
  ask.mockRestore();
});

describe('--start-unknown', () => {
  let starting: WebhooksProcess;
  beforeAll(async () => {
    starting = await start(['--start-unknown', '--review', 'wait']);
  });
  afterAll(() => starting[Symbol.asyncDispose]());

  it('starts an onboarding for an unknown session and finishes it once', async () => {
    const { interviewId } = await incode.openSession();
    const statuses = ['POST_PROCESSING_FINISHED', 'FACE_VALIDATION_FINISHED', 'GOVERNMENT_VALIDATION_FINISHED'];
    incode.setWebhook(byHeader(starting));
    // Concurrent deliveries, of which only one may start it.
    for (const status of [...statuses, ...statuses]) incode.setOnboardingStatus(interviewId, status);
    await expect.poll(() => answersTo(interviewId)).toHaveLength(7);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'approved',
      finish: { confirmedBy: 'response' },
    });
    expect(new Set(answersTo(interviewId))).toEqual(new Set([200]));
    expect(incode.effects(interviewId).finished).toBe(1);
    await expectSound(world, interviewId);
  });

  it('starts no onboarding for a session whose onboarding has ended', async () => {
    const { interviewId } = await begin(world);
    await world.onboarding.result(interviewId);
    const body = { interviewId, onboardingStatus: 'POST_PROCESSING_FINISHED' };
    expect((await deliver(starting, body, HEADERS)).status).toBe(200);
    expect(starting.events().at(-1)).toMatchObject({ result: 'ended', interviewId });
    expect((await world.onboarding.state(interviewId)).status).toBe('completed');
    expect(incode.effects(interviewId).finished).toBe(1);
  });

  it('does not finish a session that is already finished', async () => {
    incode.setWebhook(byHeader(starting));
    const { interviewId } = await incode.openSession({
      action: 'none',
      score: { status: 'WARN', value: '61.0' },
      manualReview: { verdict: 'REJECTED', afterMs: 300 },
    });
    await finishElsewhere(world, interviewId);
    await expect.poll(() => answersTo(interviewId)).toEqual([200, 200]);
    expect(await world.onboarding.result(interviewId)).toMatchObject({
      outcome: 'rejected',
      finish: { confirmedBy: 'status' },
    });
    expect(incode.effects(interviewId).finished).toBe(1);
  });

  it('uses the plan from the command line', async () => {
    const { interviewId } = await incode.openSession();
    await deliver(starting, { interviewId, onboardingStatus: 'ID_VALIDATION_FINISHED' }, HEADERS);
    await untilStage(world, interviewId, 'waiting');
    await world.onboarding.cancel(interviewId);
  });
});

describe('invalid configuration of the command webhooks', () => {
  it('exits with 2 and names every invalid variable without secrets', async () => {
    const env = {
      TEMPORAL_ADDRESS: inject('temporalAddress'),
      WEBHOOK_PORT: 'many',
      WEBHOOK_PATH: 'incode',
      WEBHOOK_HEADER_NAME: 'not a name',
      WEBHOOK_HEADER_SECRETS: 'too-short',
      WEBHOOK_OAUTH_CLIENTS: 'incode:short-too',
      WEBHOOK_TOKEN_TTL: 'a while',
      WEBHOOK_MAX_BODY: '-1',
      WEBHOOK_HEADERS_TIMEOUT: '2m',
      WEBHOOK_BODY_TIMEOUT: '0s',
      WEBHOOK_NOTIFY_TIMEOUT: '1h',
      WEBHOOK_ALLOW_UNAUTHENTICATED: 'perhaps',
      LOG_LEVEL: 'loud',
    };
    const { code, stdout, stderr } = await ended([], env);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const unnamed = Object.keys(env).filter((name) => name !== 'TEMPORAL_ADDRESS' && !stderr.includes(name));
    expect(unnamed).toEqual([]);
    expect(stderr).not.toMatch(/too-short|short-too|^ {4}at /m);
  });

  it.each([
    ['no way to authenticate', [], {}, 'WEBHOOK_HEADER_SECRETS or WEBHOOK_OAUTH_CLIENTS'],
    ['a Temporal profile that is not there', [], { TEMPORAL_PROFILE: 'none', ...authenticated() }, 'none'],
    [
      'a plan that no session could have',
      ['--start-unknown', '--review-deadline', 'soon'],
      authenticated(),
      'reviewDeadline',
    ],
    ['an option that is not there', ['--start-all'], authenticated(), '--start-all'],
  ])('exits with 2 for %s', async (_, args, env, why) => {
    const { code, stdout, stderr } = await ended(args, { TEMPORAL_ADDRESS: inject('temporalAddress'), ...env });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  function authenticated() {
    return { WEBHOOK_HEADER_SECRETS: SECRET };
  }

  /** Output of a receiver that must not start. Stops one that does, so that the test fails instead of hanging. */
  async function ended(args: string[], env: Record<string, string>) {
    const child = spawnWebhooks(args, { WEBHOOK_PORT: String(await freePort()), ...env });
    child.stdout.once('data', () => child.kill());
    const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  }
});

it('reports a port that is in use without a stack trace', async () => {
  const env = {
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    WEBHOOK_PORT: new URL(receiver.url).port,
    WEBHOOK_HEADER_SECRETS: SECRET,
  };
  await expect(startWebhooks([], env)).rejects.toThrow(/ended with 1:\nThe webhook receiver: port \d+ is taken\n$/);
});

describe('the command webhooks at SIGTERM', () => {
  it('exits with 0 after it has answered a delivery in flight', async () => {
    await using one = await start();
    const { interviewId } = await begin(world, PROCESSED);
    await untilLooks(world, interviewId, 1);
    const onboardingStatus = 'POST_PROCESSING_FINISHED';
    const { socket, received } = await beginDelivery(one, { interviewId, onboardingStatus });
    // Only the delivery in flight tells the session.
    incode.setWebhook(null);
    incode.setOnboardingStatus(interviewId, onboardingStatus);
    const stopped = one.stop();
    await expect.poll(() => isListening(one)).toBe(false);
    expect(one.child.exitCode).toBe(null);
    socket.complete();
    expect(await received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n[\s\S]*\{"success":true\}/i);
    expect(await stopped).toMatchObject({ code: 0, counts: { delivered: 1 } });
    expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
    incode.setWebhook(byHeader(receiver));
  });

  it('exits at once without deliveries, even with an open keep-alive connection', async () => {
    await using one = await start();
    await deliver(one, { interviewId: 'nobodys', onboardingStatus: 'EXPIRED' }, HEADERS);
    expect(await one.stop()).toMatchObject({ code: 0, counts: { unknownSession: 1 } });
  });
});

it('writes no secret, token or API key', async () => {
  incode.setWebhook(byToken(receiver));
  const { interviewId, token } = await begin(world, PROCESSED);
  incode.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
  await world.onboarding.result(interviewId);
  await deliver(receiver, { interviewId, onboardingStatus: `${SECRET} ${token}` }, HEADERS);
  await deliver(receiver, `{"interviewId": "${OAUTH_SECRET}`, HEADERS);
  const bearer = await bearerToken(receiver);
  await deliver(receiver, { interviewId, onboardingStatus: 'EXPIRED' }, { authorization: `Bearer ${bearer}` });
  await deliver(receiver, { interviewId, onboardingStatus: 'EXPIRED' }, { authorization: `Bearer ${bearer}x` });
  const output = receiver.output();
  expect(output).toContain(interviewId);
  const basic = Buffer.from(`incode:${OAUTH_SECRET}`).toString('base64');
  for (const secret of [SECRET, OAUTH_SECRET, basic, bearer, token, API_KEY]) {
    expect(output.includes(secret), 'a secret').toBe(false);
  }
});

async function bearerToken({ token }: WebhooksProcess): Promise<string> {
  const response = await fetch(String(token), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`incode:${OAUTH_SECRET}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** A delivery whose headers have arrived. `complete` sends the body. */
async function beginDelivery({ delivery }: WebhooksProcess, what: unknown) {
  const { hostname, port, pathname } = new URL(delivery);
  const body = JSON.stringify(what);
  const socket: Socket = connect(Number(port), hostname);
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${hostname}`,
    'content-type: application/json',
    `x-webhook-secret: ${SECRET}`,
    `content-length: ${body.length}`,
    // Resolves when the server has received the headers.
    'expect: 100-continue',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [first] = await once(socket, 'data');
  expect(String(first)).toMatch(/^HTTP\/1\.1 100 /);
  return { socket: { complete: () => socket.write(body) }, received: text(socket) };
}

async function isListening({ url }: WebhooksProcess): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), new URL(url).hostname);
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}
