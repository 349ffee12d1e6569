import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DEFAULT_BEHAVIOR, type SimulatorBehavior } from './behavior.js';
import { CallLog } from './call-log.js';
import { checkApiKeys, checkBehavior, checkOptions, checkSessionWebhook, checkWebhook } from './checks.js';
import { Clock } from './clock.js';
import { DataFile } from './data-file.js';
import { Faults } from './faults.js';
import { TokenBucket } from './rate-limit.js';
import { createSimulatorServer } from './server.js';
import { type SavedSessions, Sessions } from './sessions.js';
import type { SimulatorState } from './state.js';
import type {
  Call,
  Delivery,
  Effects,
  Fault,
  OpenedSession,
  RateLimit,
  SessionSpec,
  SessionView,
  SessionWebhookTarget,
  SimulatedOperation,
  SimulatorOptions,
  WebhookTarget,
} from './types.js';
import { SessionWebhook, StatusWebhook } from './webhooks.js';

export type { RequiredHeader, SimulatorBehavior } from './behavior.js';
export type * from './types.js';

/** A simulated Incode on 127.0.0.1. Everything here has its counterpart under `/_simulator/` for other languages. */
export interface IncodeSimulator {
  /** Incode's base URL. */
  readonly url: string;
  readonly port: number;
  /** The first that is accepted. */
  readonly apiKey: string;
  /** What it does where the real Incode's behavior is not known. */
  readonly behavior: Readonly<SimulatorBehavior>;
  /** Every call, oldest first; the latest 100,000 at least. */
  readonly calls: readonly Call[];
  /** How often each operation was called; not bounded. */
  readonly counts: Readonly<Partial<Record<SimulatedOperation, number>>>;
  /** Every attempt to deliver a webhook, in the order in which they ended; the latest 100,000 at least. */
  readonly deliveries: readonly Delivery[];
  /**
   * Opens a session directly, which can be finished at once; clients of Incode do so by `POST /omni/start`.
   *
   * @throws TypeError if there is one with this `interviewId`
   */
  openSession(spec?: SessionSpec): Promise<OpenedSession>;
  /** Another token for a session. @default valid for 90 days */
  issueToken(interviewId: string, options?: { expiresInMs?: number }): Promise<string>;
  /** Makes all tokens of a session invalid. */
  revokeTokens(interviewId: string): void;
  setApiKeys(keys: string[]): void;
  /** Changes a part of its behavior. @throws TypeError naming what is wrong with it */
  setBehavior(change: Partial<SimulatorBehavior>): void;
  setRateLimit(limit: RateLimit | null | undefined): void;
  /** The status webhook's. */
  setWebhook(target: WebhookTarget | null | undefined): void;
  setSessionWebhook(target: SessionWebhookTarget | null | undefined): void;
  /** Moves a session to a milestone, and sends the webhook. */
  setOnboardingStatus(interviewId: string, onboardingStatus: string): void;
  /**
   * Lets calls go wrong. Of several faults, the first that was set strikes first.
   *
   * @throws TypeError naming what is wrong with it
   */
  fault(fault: Fault): void;
  clearFaults(): void;
  /** @throws Error if there is no such session, as do all that take an `interviewId` */
  session(interviewId: string): SessionView;
  /** How often calls took effect on a session. */
  effects(interviewId: string): Effects;
  /** The calls of one session, of one operation, or both. */
  callsOf(interviewId?: string, operation?: SimulatedOperation): Call[];
  /** The time by the simulator's own clock, in milliseconds since the epoch. */
  now(): number;
  /**
   * Moves the clock forward, as if that much time had passed. What falls due meanwhile happens in the order of its due
   * time, each at its own time: processing, verdicts, expiry, webhooks' retries, late answers and effects of faults. Tokens
   * expire and the rate limit's bucket fills by the same clock.
   *
   * Resolves once all of it has happened, and every webhook that was sent before or meanwhile has its answer, or none within
   * 10 s of real time. So a webhook's receiver must not wait for it before answering.
   *
   * @throws TypeError if `ms` is negative or no number; Error if the simulator is closed
   */
  advanceTime(ms: number): Promise<void>;
  /** Ends the connections, what waits, and the webhooks that are still to be sent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a simulated Incode. See `docs/simulator.md`.
 *
 * @throws Error if the port is taken, or the data file cannot be read; TypeError if an option is wrong
 */
export async function startIncodeSimulator(options: SimulatorOptions = {}): Promise<IncodeSimulator> {
  const { port = 0, apiKeys = ['simulator'], timeScale = 1, latencyMs = 0, dataFile } = options;
  checkOptions(options);
  const behavior: SimulatorBehavior = { ...DEFAULT_BEHAVIOR };
  const clock: Clock = new Clock(() => file?.changed());
  const deliveries: Delivery[] = [];
  const statusWebhook = new StatusWebhook(clock, timeScale, deliveries, behavior);
  const sessionWebhook = new SessionWebhook(clock, timeScale, deliveries, behavior);
  const sessions: Sessions = new Sessions(clock, behavior, {
    onStatus: (session) => statusWebhook.send(session),
    onEvent: (session, event) => sessionWebhook.send(session, event),
    onChange: () => file?.changed(),
  });
  const file =
    dataFile === undefined
      ? undefined
      : new DataFile(dataFile, () => ({ ...sessions.toJSON(), advancedMs: clock.advancedMs }));

  const state: SimulatorState = {
    clock,
    sessions,
    faults: new Faults(),
    apiKeys: new Set(),
    bucket: undefined,
    timeScale,
    latencyMs,
    behavior,
    log: new CallLog(),
    deliveries,
    closed: false,
    setApiKeys: (keys) => {
      checkApiKeys(keys);
      state.apiKeys = new Set(keys);
    },
    setBehavior: (change) => {
      checkBehavior(change);
      Object.assign(behavior, change);
    },
    setRateLimit: (limit) => {
      state.bucket = limit ? new TokenBucket(limit, clock) : undefined;
    },
    setWebhook: (target) => {
      if (target) checkWebhook(target);
      statusWebhook.setTarget(target);
    },
    setSessionWebhook: (target) => {
      if (target) checkSessionWebhook(target);
      sessionWebhook.setTarget(target);
    },
  };
  state.setApiKeys(apiKeys);
  state.setBehavior(options.behavior ?? {});
  state.setRateLimit(options.rateLimit ?? null);
  state.setWebhook(options.webhook ?? null);
  state.setSessionWebhook(options.sessionWebhook ?? null);

  const server = createSimulatorServer(state).listen(port, '127.0.0.1');
  await once(server, 'listening');
  try {
    // After the port is ours: what fell due meanwhile is sent by one simulator only.
    const saved = file?.read() as (SavedSessions & { advancedMs?: number }) | undefined;
    // Files of older versions have no clock.
    clock.resume(saved?.advancedMs ?? 0);
    if (saved) sessions.restore(saved);
  } catch (error) {
    clock.stop();
    server.close();
    throw error;
  }
  const actualPort = (server.address() as AddressInfo).port;

  const close = async () => {
    if (state.closed) return;
    state.closed = true;
    clock.stop();
    statusWebhook.stop();
    sessionWebhook.stop();
    const ended = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await ended;
    await file?.close();
  };
  return {
    url: `http://127.0.0.1:${actualPort}`,
    port: actualPort,
    apiKey: apiKeys[0] ?? '',
    behavior,
    calls: state.log.calls,
    counts: state.log.counts,
    deliveries,
    openSession: (spec) => sessions.open(spec),
    issueToken: (interviewId, { expiresInMs } = {}) => sessions.issueToken(interviewId, expiresInMs),
    revokeTokens: (interviewId) => sessions.revokeTokens(interviewId),
    setApiKeys: state.setApiKeys,
    setBehavior: state.setBehavior,
    setRateLimit: (limit) => state.setRateLimit(limit ?? null),
    setWebhook: (target) => state.setWebhook(target ?? null),
    setSessionWebhook: (target) => state.setSessionWebhook(target ?? null),
    setOnboardingStatus: (interviewId, status) => sessions.setStatus(sessions.get(interviewId), status),
    fault: (fault) => state.faults.add(fault),
    clearFaults: () => state.faults.clear(),
    session: (interviewId) => sessions.view(interviewId),
    effects: (interviewId) => ({ ...sessions.get(interviewId).effects }),
    callsOf: (interviewId, operation) => state.log.of(interviewId, operation),
    now: () => clock.now(),
    advanceTime: (ms) => clock.advance(ms),
    close,
    [Symbol.asyncDispose]: close,
  };
}
