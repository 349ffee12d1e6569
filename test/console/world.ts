import { BatchDetachedError, completeBatch } from '../../src/client/index.js';
import type { GatewayToken } from '../../src/contract/gateway-settings.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { makeToken, startGateway, type TestGateway } from '../gateway/support.js';
import { begin, type Started, untilStage } from '../support/lifecycle.js';
import { startNewServer } from '../support/new-server.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { type OpenedSession, startTestWorld, type TestWorld } from '../support/world.js';
import { startBrowser, type Tab, type TabOptions, type TestBrowser } from './support.js';

export const READER = makeToken('support', 'read');
export const STARTER = makeToken('billing', 'start');
export const OPERATOR = makeToken('ops', 'read', 'operate');

export const WEB_UI = 'https://temporal.example.com/namespaces/default/workflows/';

/** A gateway over a server of its own, because the overview counts everything of a namespace. */
export interface ConsoleWorld extends TestWorld {
  gateway: TestGateway;
  browser: TestBrowser;
  /** The page of the console at a path such as `#/sessions`, through a connection that can be cut. */
  open(hash: string, options?: TabOptions): Promise<Tab>;
  cut(): void;
  mend(): void;
  held: Held;
}

/** Sessions that stay where they are. */
export interface Held {
  needsToken: Started;
  inReview: Started;
  waiting: Started;
  /** Its call to Incode fails again and again. */
  failing: Started;
  approved: Started;
  rejected: Started;
  /** A batch of two: one is approved, and the other waits for its score. */
  batchId: string;
}

export async function startConsoleWorld(): Promise<ConsoleWorld> {
  const server = await startNewServer();
  const world = await startTestWorld({ address: server.address });
  const tokens: GatewayToken[] = [READER, STARTER, OPERATOR].map(({ entry }) => entry);
  const gateway = await startGateway({ client: world.onboarding, tokens: () => tokens, webUi: WEB_UI });
  const proxy = await startTcpProxy(`127.0.0.1:${gateway.port}`);
  const browser = await startBrowser();
  const held = await hold(world);
  return {
    ...world,
    gateway,
    browser,
    held,
    open: (hash, options = { token: OPERATOR.token }) => browser.tab(`http://${proxy.address}/${hash}`, options),
    cut: proxy.cut,
    mend: proxy.mend,
    async [Symbol.asyncDispose]() {
      await browser[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

const APPROVED: SessionSpec = { action: 'approved', score: { status: 'OK', value: '94.6' } };
const WARNED: SessionSpec = { action: 'none', score: { status: 'WARN', value: '61.0' } };

async function hold(world: TestWorld): Promise<Held> {
  const { simulator, onboarding } = world;
  const failing = await simulator.openSession(APPROVED);
  simulator.fault({
    operation: 'finishStatus',
    interviewId: failing.interviewId,
    kind: 'status',
    status: 503,
    times: null,
  });
  await onboarding.start({ interviewId: failing.interviewId, sessionToken: failing.token });
  const held: Held = {
    needsToken: await needsToken(world),
    inReview: await begin(world, { plan: { review: 'wait' } }, WARNED),
    waiting: await begin(world, { plan: { finishWhen: 'asked' } }),
    failing,
    approved: await begin(world, {}, APPROVED),
    rejected: await begin(world, {}, { action: 'rejected', score: { status: 'FAIL', value: '12.1' } }),
    batchId: (await startBatch(world, [APPROVED, { ...APPROVED, scoreReadyAfterMs: null }])).batchId,
  };
  await Promise.all([
    untilStage(world, held.inReview.interviewId, 'inReview'),
    untilStage(world, held.waiting.interviewId, 'waiting'),
    onboarding.result(held.approved.interviewId),
    onboarding.result(held.rejected.interviewId),
  ]);
  return held;
}

/** Starts a batch of sessions, one for each specification, and does not wait for it. */
export async function startBatch(
  world: TestWorld,
  specs: readonly SessionSpec[],
): Promise<{ batchId: string; sessions: OpenedSession[] }> {
  const sessions = await world.sessions(specs.length, (index) => specs[index] ?? {});
  const { batchId } = await handOver(world, sessions);
  return { batchId, sessions };
}

/** Starts a batch. Aborting it after the hand-over leaves it to the server. */
export async function handOver(world: TestWorld, sessions: OpenedSession[], shardSize = 2_000) {
  const detached = new AbortController();
  const options = world.batch({ shardSize, signal: detached.signal, progressIntervalMs: 20, total: sessions.length });
  const batch = completeBatch(world.onboarding, sessions, {
    ...options,
    onProgress: ({ handedOver }) => {
      if (handedOver === sessions.length) detached.abort();
    },
  });
  const reading = (async () => {
    for await (const _ of batch);
  })();
  await reading.catch((error: unknown) => {
    if (!(error instanceof BatchDetachedError)) throw error;
  });
  return { batchId: options.batchId };
}

/** Starts a session whose token Incode refuses. */
export async function needsToken(world: TestWorld): Promise<Started> {
  const { simulator, onboarding } = world;
  const { interviewId, token } = await simulator.openSession(APPROVED);
  simulator.revokeTokens(interviewId);
  await onboarding.start({ interviewId, sessionToken: token });
  await untilStage(world, interviewId, 'needsToken');
  return { interviewId, token };
}
