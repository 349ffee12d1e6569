import type { SimulatorBehavior } from './behavior.js';
import type { CallLog } from './call-log.js';
import type { Fault } from './call-types.js';
import type { ScriptedAnswer } from './capture/types.js';
import type { Clock } from './clock.js';
import type { RateLimiter } from './rate-limit.js';
import type { Rules } from './rules.js';
import type { Sessions } from './sessions.js';
import type { Delivery, RateLimit, RateLimits, SessionWebhookTarget, WebhookTarget } from './types.js';

/** The state that the server, the simulator's methods and the control API share. */
export interface SimulatorState {
  clock: Clock;
  sessions: Sessions;
  faults: Rules<Fault>;
  scripts: Rules<ScriptedAnswer>;
  apiKeys: Set<string>;
  limiter: RateLimiter | undefined;
  timeScale: number;
  latencyMs: number;
  behavior: SimulatorBehavior;
  log: CallLog;
  deliveries: Delivery[];
  /** Calls take no effect any more. */
  closed: boolean;
  setApiKeys(keys: string[]): void;
  setBehavior(change: Partial<SimulatorBehavior>): void;
  addFault(fault: Fault): void;
  script(answer: ScriptedAnswer): void;
  setRateLimit(limit: RateLimit | RateLimits | null): void;
  setWebhook(target: WebhookTarget | null): void;
  setSessionWebhook(target: SessionWebhookTarget | null): void;
}
