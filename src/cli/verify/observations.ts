import type { RequiredHeader } from '../../incode/headers.js';
import type { Reply } from './reply.js';

/** An `onboardingStatus`, spelled as in the answer. */
export type RawStatus = string;

/** How long a change took; `ms` is `null` if it did not occur within the wait. */
export interface Delay {
  ms: number | null;
  waitedMs: number;
  /** The last answer. */
  last: string | undefined;
}

/** A read with the token of one session and the id of another. */
export interface ForeignRead {
  reply: Reply;
  /** The values for the token's session, for the other session, and in this read's answer. */
  own: string | undefined;
  other: string | undefined;
  told: string | undefined;
}

export interface WebhookDelivery {
  /** Since finish-status was sent. */
  ms: number;
  /** Whether this package's receiver can parse it. */
  understood: boolean;
  onboardingStatus: string | undefined;
}

/** What a run has observed. Untried parts are missing. */
export interface Observations {
  token: { isJwt: boolean; expires: boolean; names: 'this session' | 'another session' | 'no session' };
  hasDate: boolean;
  statuses: RawStatus[];
  statusById: Reply;
  statusWithoutId: Reply;
  statusOfUnknownId: Reply;
  foreignStatus: ForeignRead;
  foreignScore: ForeignRead;
  getWithoutHeader: Record<RequiredHeader, Reply>;
  postWithoutHeader: Record<RequiredHeader, Reply>;
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
  executiveScore: Reply;
  rateLimit: { sent: number; refusal: Reply | undefined };
}
