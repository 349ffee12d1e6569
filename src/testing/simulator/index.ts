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

/**
 * A simulated Incode on 127.0.0.1. Tests in other languages use the control API under `/_simulator/`. Every method with an `interviewId`
 * throws an Error if there is no such session.
 */
export interface IncodeSimulator {
  /** Incode's base URL. */
  readonly url: string;
  readonly port: number;
  /** The first accepted API key. */
  readonly apiKey: string;
  /** The simulator's behavior where Incode's is not known. */
  readonly behavior: Readonly<SimulatorBehavior>;
  /** The calls, oldest first: at least the latest 100,000. */
  readonly calls: readonly Call[];
  /** Number of calls by operation, since the start. */
  readonly counts: Readonly<Partial<Record<SimulatedOperation, number>>>;
  /** The attempts to deliver a webhook, in the order of their end: at least the latest 100,000. */
  readonly deliveries: readonly Delivery[];
  /**
   * Opens a session that can be finished at once. Clients of Incode open sessions with `POST /omni/start`.
   *
   * @throws TypeError if a session with this `interviewId` exists
   */
  openSession(spec?: SessionSpec): Promise<OpenedSession>;
  /** Issues another token for a session. @default valid for 90 days */
  issueToken(interviewId: string, options?: { expiresInMs?: number }): Promise<string>;
  /** Revokes all tokens of a session. */
  revokeTokens(interviewId: string): void;
  /** Replaces the accepted API keys. */
  setApiKeys(keys: string[]): void;
  /** Changes a part of the behavior. @throws TypeError naming the invalid part */
  setBehavior(change: Partial<SimulatorBehavior>): void;
  /** Sets or removes the rate limit. */
  setRateLimit(limit: RateLimit | null | undefined): void;
  /** Sets the target of the status webhook. */
  setWebhook(target: WebhookTarget | null | undefined): void;
  /** Sets the target of the session webhook. */
  setSessionWebhook(target: SessionWebhookTarget | null | undefined): void;
  /** Sets the status of a session and sends the status webhook. */
  setOnboardingStatus(interviewId: string, onboardingStatus: string): void;
  /**
   * Adds a fault. If several faults match a call, the oldest applies.
   *
   * @throws TypeError naming the invalid part
   * @example simulator.fault({ operation: 'finishStatus', kind: 'reset', effect: true });
   */
  fault(fault: Fault): void;
  clearFaults(): void;
  session(interviewId: string): SessionView;
  /** Counts how often calls took effect on a session. */
  effects(interviewId: string): Effects;
  /** Selects calls by session, by operation, or by both. */
  callsOf(interviewId?: string, operation?: SimulatedOperation): Call[];
  /** Time of the simulator's clock, in milliseconds since the epoch. */
  now(): number;
  /**
   * Moves the clock forward. Everything that falls due meanwhile happens in order, each at its own time: processing, verdicts, expiry,
   * retries of webhooks, late answers and late effects of faults. Tokens and the rate limit follow the same clock.
   *
   * Resolves once all of that has happened and every webhook sent until then is answered, or unanswered for 10 s of real time. So a
   * receiver must not wait for `advanceTime` before it answers.
   *
   * @throws TypeError if `ms` is negative or not a number; Error if the simulator is closed
   */
  advanceTime(ms: number): Promise<void>;
  /** Closes the connections and drops everything that is still due. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a simulated Incode. See `docs/simulator.md`.
 *
 * @throws Error if the port is taken or the data file cannot be read; TypeError if an option is invalid
 * @example
 * ```ts
 * await using incode = await startIncodeSimulator({ timeScale: 0.01 });
 * const { interviewId, token } = await incode.openSession({ action: 'rejected' });
 * ```
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
    // Restored only with the port, so that a second simulator with the same file sends no webhooks.
    const saved = file?.read() as (SavedSessions & { advancedMs?: number }) | undefined;
    // Files of older versions lack `advancedMs`.
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
