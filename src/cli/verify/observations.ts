import type { RequiredHeader } from '../../incode/headers.js';
import type { Reply } from './reply.js';

/** An `onboardingStatus` as an answer spelled it. */
export type RawStatus = string;

/** How long something took to be seen; `ms: null` if it was not seen within the time that was waited. */
export interface Delay {
  ms: number | null;
  waitedMs: number;
  /** What was answered last. */
  last: string | undefined;
}

/** A read with the token of one session and the id of another. */
export interface ForeignRead {
  reply: Reply;
  /** What the same read tells of the token's session, of the other session, and now. */
  own: string | undefined;
  other: string | undefined;
  told: string | undefined;
}

export interface WebhookDelivery {
  /** Since finish-status was sent. */
  ms: number;
  /** Whether this package's receiver understands it. */
  understood: boolean;
  onboardingStatus: string | undefined;
}

/** What a run has seen of Incode. Whatever was not tried is missing. */
export interface Observations {
  token: { isJwt: boolean; expires: boolean; names: 'this session' | 'another session' | 'no session' };
  hasDate: boolean;
  statuses: RawStatus[];
  statusById: Reply;
  statusWithoutId: Reply;
  statusOfUnknownId: Reply;
  foreignStatus: ForeignRead;
  foreignScore: ForeignRead;
  withoutHeader: Record<RequiredHeader, Reply>;
  wrongKey: Reply;
  wrongToken: Reply;
  badParameter: Reply;
  unknownPath: Reply;
  reissue: { reply: Reply; isSameSession: boolean; newToken: Reply | undefined; earlierToken: Reply | undefined };
  unknownStart: Reply;
  finish: Reply;
  emptyFinish: Reply;
  statusDelay: Delay;
  scoreDelay: Delay;
  secondFinish: { first: Reply; second: Reply; statusAfter: RawStatus | undefined };
  closeAfterFinish: { reply: Reply; statusAfter: RawStatus | undefined };
  closedFinish: Reply;
  expiredFinish: Reply;
  processId: { first: Reply; second: Reply };
  webhook: { isReachable: boolean; waitedMs: number; deliveries: WebhookDelivery[] };
  secondWebhook: number;
  executiveRead: Reply;
  rateLimit: { sent: number; refusal: Reply | undefined };
}
