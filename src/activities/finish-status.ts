import { activityInfo, heartbeat } from '@temporalio/activity';
import { omitUndefined } from '../contract/omit-undefined.js';
import { resolveVerifyFirst } from '../contract/verify-first.js';
import { callIncode, isFirstAttempt, serverClock } from './call.js';
import { isConfirmable, isConfirmed } from './confirm-finish.js';
import { activityFailure, notYet } from './failure.js';
import { finishOnce } from './finish-once.js';
import { Lease, leased } from './lease.js';
import type { ResolvedActivityOptions } from './options.js';
import type { EarlierRequests, SentRequests } from './sent-requests.js';
import type { FinishStatusInput, FinishStatusResult } from './types.js';

/** Finishes a session with Temporal's retries: each attempt of the activity is one of {@link finishOnce}. */
export function finishStatus(options: ResolvedActivityOptions) {
  return async (input: FinishStatusInput): Promise<FinishStatusResult> => {
    const { interviewId } = input;
    const earlier = earlierRequests(input);
    const trust = mode(input) === 'trust' && isFirstAttempt();
    const context = { earlier, trust, now: serverClock() };
    // Replaces the record of attempts before the reset, which would be mistaken for one of this attempt.
    const before = recordOf(earlier, 0);
    if (activityInfo().attempt === 1 && !isFirstAttempt()) heartbeat(before);
    let record = before;
    const lease = new Lease();
    const incode = leased(options.incode, lease, () => record);
    const attempt = await callIncode(
      async (signal) => {
        const ended = await finishOnce({ ...options, incode }, input, context, signal);
        if (!('result' in ended) || !isConfirmable(options, ended)) return ended;
        if (ended.isAnswered) {
          // If the worker dies now, the next attempt must know that Incode accepted the request.
          record = recordOf({ lastSentAt: 'inThisAttempt', accepted: true }, activityInfo().attempt);
          await lease.renew(record).catch(() => undefined);
        }
        const { finish } = ended.result;
        const isDone = await isConfirmed(options, { ...input, finish }, signal).catch(() => false);
        return isDone ? ended : { result: { ...ended.result, toBeConfirmed: true as const } };
      },
      () => record,
    );
    if ('result' in attempt) return attempt.result;

    const { sent } = attempt;
    heartbeat(recordOf(sent, activityInfo().attempt));
    if ('wait' in attempt) {
      const { type, what, ms } = attempt.wait;
      throw notYet(type, interviewId, what, ms);
    }
    const { operatorRetryMs, observe } = options;
    throw activityFailure(attempt.error, { interviewId, operatorRetryMs, observe, sent: datedByWorker(sent) });
  };
}

/** Callers of earlier versions pass booleans. Both mean `look`, because this activity never waited after `true`. */
function mode({ verifyFirst }: FinishStatusInput) {
  return typeof verifyFirst === 'boolean' ? 'look' : resolveVerifyFirst(verifyFirst);
}

/** What an attempt passes to the next one, as heartbeat details, which outlive the attempt. */
interface LastSentRecord extends Omit<SentRequests, 'lastSentAt'> {
  /** The attempt that ended and recorded what it sent; 0 while an attempt runs. */
  attempt: number;
  lastSentAt: number | 'inThisAttempt' | null;
}

function recordOf({ lastSentAt, ...sent }: SentRequests, attempt: number): LastSentRecord {
  return { attempt, lastSentAt: lastSentAt ?? null, ...sent };
}

/** What earlier attempts sent, or what the caller knows. */
function earlierRequests(input: FinishStatusInput): EarlierRequests {
  const { attempt, heartbeatDetails, currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  if (isFirstAttempt()) return givenRequests(input, scheduledAt);
  const record = heartbeatDetails as LastSentRecord | undefined;
  const accepted = record?.accepted ?? input.accepted;
  // An attempt that died left no record, so it may have sent a request. After an accepted request it sent none.
  const last = record && (accepted || record.attempt === attempt - 1) ? record.lastSentAt : 'inThisAttempt';
  // An earlier attempt sent its requests before the server scheduled this one.
  const lastSentAt = last === 'inThisAttempt' ? scheduledAt : last;
  return { ...(lastSentAt === null ? {} : { lastSentAt }), ...(accepted ? { accepted } : {}) };
}

function givenRequests(input: FinishStatusInput, scheduledAt: number): EarlierRequests {
  const { lastSentAt, accepted } = input;
  const isNow = lastSentAt === undefined && (accepted || mode(input) === 'settle');
  // Limited, because a caller's clock that is ahead would delay the session for longer than the settle time.
  const at = isNow ? scheduledAt : lastSentAt && Math.min(lastSentAt, scheduledAt);
  return { ...omitUndefined({ lastSentAt: at }), ...(accepted ? { accepted } : {}) };
}

/** For the caller that continues after the failure. Uses this worker's clock, which is precise enough for the settle time. */
function datedByWorker({ lastSentAt, ...sent }: SentRequests): EarlierRequests {
  const at = lastSentAt === 'inThisAttempt' ? Date.now() : lastSentAt;
  return { ...sent, ...omitUndefined({ lastSentAt: at }) };
}
