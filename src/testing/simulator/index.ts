import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DEFAULT_BEHAVIOR, type SimulatorBehavior } from './behavior.js';
import { CallLog } from './call-log.js';
import { viewOf } from './capture/record.js';
import { checkBehavior } from './check-behavior.js';
import {
  checkApiKeys,
  checkFault,
  checkOptions,
  checkScriptedAnswer,
  checkSessionWebhook,
  checkWebhook,
} from './checks.js';
import { Clock } from './clock.js';
import { DataFile } from './data-file.js';
import { RateLimiter } from './rate-limit.js';
import { Rules } from './rules.js';
import { createSimulatorServer } from './server.js';
import { type SavedSessions, Sessions } from './sessions.js';
import type { IncodeSimulator } from './simulator.js';
import type { SimulatorState } from './state.js';
import type { Delivery, SimulatorOptions } from './types.js';
import { SessionWebhook, StatusWebhook } from './webhooks.js';

export type { RequiredHeader, SimulatorBehavior } from './behavior.js';
export type * from './call-types.js';
export type * from './capture/types.js';
export type { IncodeSimulator } from './simulator.js';
export type * from './types.js';

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
    faults: new Rules(),
    scripts: new Rules(),
    apiKeys: new Set(),
    limiter: undefined,
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
    addFault: (fault) => {
      checkFault(fault);
      state.faults.add(fault, 1);
    },
    script: (answer) => {
      checkScriptedAnswer(answer);
      state.scripts.add(answer, null);
    },
    setRateLimit: (limit) => {
      state.limiter = limit ? new RateLimiter(limit, clock) : undefined;
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
    setScoreReady: (interviewId) => sessions.setScoreReady(sessions.get(interviewId)),
    fault: state.addFault,
    clearFaults: () => state.faults.clear(),
    script: state.script,
    clearScripts: () => state.scripts.clear(),
    sessions: (reference) => sessions.of(reference).map(({ interviewId }) => sessions.view(interviewId)),
    captures: (interviewId) => viewOf(sessions.get(interviewId).capture),
    session: (interviewId) => sessions.view(interviewId),
    effects: (interviewId) => ({ ...sessions.get(interviewId).effects }),
    callsOf: (interviewId, operation) => state.log.of(interviewId, operation),
    now: () => clock.now(),
    advanceTime: (ms) => clock.advance(ms),
    close,
    [Symbol.asyncDispose]: close,
  };
}
