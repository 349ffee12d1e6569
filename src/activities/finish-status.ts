import { activityInfo, heartbeat } from '@temporalio/activity';
import { resolveVerifyFirst } from '../contract/index.js';
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
    // What attempts before a reset have left must not be taken for this one's.
    const before = traceOf(earlier, 0);
    if (activityInfo().attempt === 1 && !isFirstAttempt()) heartbeat(before);
    let trace = before;
    const lease = new Lease();
    const incode = leased(options.incode, lease, () => trace);
    const attempt = await callIncode(
      async (signal) => {
        const ended = await finishOnce({ ...options, incode }, input, context, signal);
        if (!('result' in ended) || !isConfirmable(options, ended)) return ended;
        if (ended.isAnswered) {
          // If the worker dies now, the next one must know.
          trace = traceOf({ lastSentAt: 'inThisAttempt', accepted: true }, activityInfo().attempt);
          await lease.renew(trace).catch(() => undefined);
        }
        const { finish } = ended.result;
        const isDone = await isConfirmed(options, { ...input, finish }, signal).catch(() => false);
        return isDone ? ended : { result: { ...ended.result, toBeConfirmed: true as const } };
      },
      () => trace,
    );
    if ('result' in attempt) return attempt.result;

    const { sent } = attempt;
    heartbeat(traceOf(sent, activityInfo().attempt));
    if ('wait' in attempt) {
      const { type, what, ms } = attempt.wait;
      throw notYet(type, interviewId, what, ms);
    }
    const { operatorRetryMs, observe } = options;
    throw activityFailure(attempt.error, { interviewId, operatorRetryMs, observe, sent: datedByWorker(sent) });
  };
}

/** Booleans of callers of earlier versions both mean a look: after `true` nobody waited for anything here. */
function mode({ verifyFirst }: FinishStatusInput) {
  return typeof verifyFirst === 'boolean' ? 'look' : resolveVerifyFirst(verifyFirst);
}

/** What an attempt leaves to the next one, as heartbeat details: they outlive the attempt. */
interface Trace extends Omit<SentRequests, 'lastSentAt'> {
  /** The attempt that ended by itself and tells what it sent; 0 while one is under way. */
  attempt: number;
  lastSentAt: number | 'inThisAttempt' | null;
}

function traceOf({ lastSentAt, ...sent }: SentRequests, attempt: number): Trace {
  return { attempt, lastSentAt: lastSentAt ?? null, ...sent };
}

/** What attempts before this one have sent, or what the caller knows of. */
function earlierRequests(input: FinishStatusInput): EarlierRequests {
  const { attempt, heartbeatDetails, currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  if (isFirstAttempt()) return givenRequests(input, scheduledAt);
  const trace = heartbeatDetails as Trace | undefined;
  const accepted = trace?.accepted ?? input.accepted;
  // One that died left no trace of what it sent. It sent nothing if a request was accepted before.
  const last = trace && (accepted || trace.attempt === attempt - 1) ? trace.lastSentAt : 'inThisAttempt';
  // Whatever an attempt sent, it sent before the server scheduled this one.
  const lastSentAt = last === 'inThisAttempt' ? scheduledAt : last;
  return { ...(lastSentAt === null ? {} : { lastSentAt }), ...(accepted ? { accepted } : {}) };
}

function givenRequests(input: FinishStatusInput, scheduledAt: number): EarlierRequests {
  const { lastSentAt, accepted } = input;
  const isNow = lastSentAt === undefined && (accepted || mode(input) === 'settle');
  // A caller's clock that is ahead must not hold the session up for longer than the settle time.
  const at = isNow ? scheduledAt : lastSentAt && Math.min(lastSentAt, scheduledAt);
  return { ...(at === undefined ? {} : { lastSentAt: at }), ...(accepted ? { accepted } : {}) };
}

/** For whoever goes on after the activity has failed. By this worker's clock, which is only compared with the settle time. */
function datedByWorker({ lastSentAt, ...sent }: SentRequests): EarlierRequests {
  const at = lastSentAt === 'inThisAttempt' ? Date.now() : lastSentAt;
  return { ...sent, ...(at === undefined ? {} : { lastSentAt: at }) };
}
