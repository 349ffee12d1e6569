import type { SimulatorBehavior } from './behavior.js';
import type { Call, Fault } from './call-types.js';
import type { CaptureView, ScriptedAnswer } from './capture/types.js';
import type {
  Delivery,
  Effects,
  OpenedSession,
  RateLimit,
  RateLimits,
  SessionSpec,
  SessionView,
  SessionWebhookTarget,
  SimulatedOperation,
  WebhookTarget,
} from './types.js';

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
  /** Sets the rate limits. Every bucket is full then. */
  setRateLimit(limit: RateLimit | RateLimits | null | undefined): void;
  /** Sets the target of the status webhook. */
  setWebhook(target: WebhookTarget | null | undefined): void;
  /** Sets the target of the session webhook. */
  setSessionWebhook(target: SessionWebhookTarget | null | undefined): void;
  /** Sets the status of a session and sends the status webhook. */
  setOnboardingStatus(interviewId: string, onboardingStatus: string): void;
  /** Ends the wait for a score: `scoreReadyAfterMs` of this session is 0 from now on. */
  setScoreReady(interviewId: string): void;
  /**
   * Adds a fault. If several faults match a call, the oldest applies.
   *
   * @throws TypeError naming the invalid part
   * @example simulator.fault({ operation: 'finishStatus', kind: 'reset', effect: true });
   */
  fault(fault: Fault): void;
  clearFaults(): void;
  /**
   * Changes what matching calls answer, for example to a certain image. If several scripted answers match a call, the oldest applies.
   *
   * @throws TypeError naming the invalid part
   * @example simulator.script({ operation: 'addFace', answer: { confidence: 1 } });
   */
  script(answer: ScriptedAnswer): void;
  clearScripts(): void;
  /** The sessions of a reference, or all, oldest first. */
  sessions(externalCustomerId?: string): SessionView[];
  /** What a session has received: images, custom fields, consents, and how often it was processed. */
  captures(interviewId: string): CaptureView;
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
