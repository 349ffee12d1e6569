import type { SimulatorBehavior } from './behavior.js';
import type { CallLog } from './call-log.js';
import type { Clock } from './clock.js';
import type { Faults } from './faults.js';
import type { TokenBucket } from './rate-limit.js';
import type { Sessions } from './sessions.js';
import type { Delivery, RateLimit, SessionWebhookTarget, WebhookTarget } from './types.js';

/** The state that the server, the simulator's methods and the control API share. */
export interface SimulatorState {
  clock: Clock;
  sessions: Sessions;
  faults: Faults;
  apiKeys: Set<string>;
  bucket: TokenBucket | undefined;
  timeScale: number;
  latencyMs: number;
  behavior: SimulatorBehavior;
  log: CallLog;
  deliveries: Delivery[];
  /** Calls take no effect any more. */
  closed: boolean;
  setApiKeys(keys: string[]): void;
  setBehavior(change: Partial<SimulatorBehavior>): void;
  setRateLimit(limit: RateLimit | null): void;
  setWebhook(target: WebhookTarget | null): void;
  setSessionWebhook(target: SessionWebhookTarget | null): void;
}
