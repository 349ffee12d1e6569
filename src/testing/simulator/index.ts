import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { DataFile } from './data-file.js';
import { Faults } from './faults.js';
import { TokenBucket } from './rate-limit.js';
import { createSimulatorServer, type World } from './server.js';
import { Sessions } from './sessions.js';
import type {
  Call,
  Delivery,
  Effects,
  Fault,
  OpenedSession,
  RateLimit,
  SessionSpec,
  SessionView,
  SimulatedOperation,
  SimulatorOptions,
  WebhookTarget,
} from './types.js';
import { Webhooks } from './webhooks.js';

export type * from './types.js';

/** A simulated Incode on 127.0.0.1. Everything here has its counterpart under `/_simulator/` for other languages. */
export interface IncodeSimulator {
  /** Incode's base URL. */
  readonly url: string;
  readonly port: number;
  /** The first that is accepted. */
  readonly apiKey: string;
  /** Every call, oldest first; the latest 100,000 at least. */
  readonly calls: readonly Call[];
  /** Every attempt to deliver a webhook. */
  readonly deliveries: readonly Delivery[];
  /** Opens a session directly; clients of Incode do so by `POST /omni/start`. */
  openSession(spec?: SessionSpec): Promise<OpenedSession>;
  /** Another token for a session. @default valid for 90 days */
  issueToken(interviewId: string, options?: { expiresInMs?: number }): Promise<string>;
  /** Makes all tokens of a session invalid. */
  revokeTokens(interviewId: string): void;
  setApiKeys(keys: string[]): void;
  setRateLimit(limit: RateLimit | undefined): void;
  setWebhook(target: WebhookTarget | undefined): void;
  /** Moves a session to a milestone, and sends the webhook. */
  setOnboardingStatus(interviewId: string, onboardingStatus: string): void;
  /** Lets calls go wrong. */
  fault(fault: Fault): void;
  clearFaults(): void;
  session(interviewId: string): SessionView;
  /** How often calls took effect on a session. */
  effects(interviewId: string): Effects;
  /** The calls of one session, of one operation, or both. */
  callsOf(interviewId?: string, operation?: SimulatedOperation): Call[];
  close(): Promise<void>;
}

/** Starts a simulated Incode. See `docs/simulator.md`. */
export async function startIncodeSimulator(options: SimulatorOptions = {}): Promise<IncodeSimulator> {
  const { port = 0, apiKeys = ['simulator'], timeScale = 1, rateLimit, webhook, latencyMs = 0, dataFile } = options;
  const webhooks = new Webhooks(webhook, timeScale);
  const sessions: Sessions = new Sessions(
    (session) => webhooks.send(session),
    () => file?.changed(),
  );
  const file = dataFile === undefined ? undefined : new DataFile(dataFile, () => sessions.toJSON());
  const saved = file?.read();
  if (saved) sessions.restore(saved as Parameters<Sessions['restore']>[0]);

  const world: World = {
    sessions,
    executives: new Map(),
    faults: new Faults(),
    apiKeys: new Set(apiKeys),
    bucket: rateLimit && new TokenBucket(rateLimit),
    timeScale,
    latencyMs,
    calls: [],
    deliveries: webhooks.deliveries,
    setRateLimit: (limit) => {
      world.bucket = limit && new TokenBucket(limit);
    },
    setWebhook: (target) => webhooks.setTarget(target),
  };
  const server = createSimulatorServer(world).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const actualPort = (server.address() as AddressInfo).port;

  return {
    url: `http://127.0.0.1:${actualPort}`,
    port: actualPort,
    apiKey: apiKeys[0] ?? '',
    calls: world.calls,
    deliveries: webhooks.deliveries,
    openSession: (spec) => sessions.open(spec),
    issueToken: (interviewId, { expiresInMs } = {}) => sessions.issueToken(interviewId, expiresInMs),
    revokeTokens: (interviewId) => sessions.revokeTokens(interviewId),
    setApiKeys: (keys) => {
      world.apiKeys = new Set(keys);
    },
    setRateLimit: world.setRateLimit,
    setWebhook: world.setWebhook,
    setOnboardingStatus: (interviewId, status) => sessions.setStatus(sessions.get(interviewId), status),
    fault: (fault) => world.faults.add(fault),
    clearFaults: () => world.faults.clear(),
    session: (interviewId) => sessions.view(interviewId),
    effects: (interviewId) => ({ ...sessions.get(interviewId).effects }),
    callsOf: (interviewId, operation) =>
      world.calls.filter(
        (call) =>
          (interviewId === undefined || call.interviewId === interviewId) &&
          (operation === undefined || call.operation === operation),
      ),
    close: async () => {
      webhooks.stop();
      sessions.stop();
      server.close();
      server.closeAllConnections();
      await file?.flush();
    },
  };
}
