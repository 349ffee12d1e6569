import { activityInfo, Context } from '@temporalio/activity';
import { ActivityCompletionError, type Client } from '@temporalio/client';
import { type IncodeClient, IncodeError, type IncodeOperation } from '../incode/index.js';

/** This worker decided not to send a request that must not be sent twice. The error says nothing about Incode. */
export class NotSentError extends IncodeError {
  constructor(why: string, operation: IncodeOperation = 'finishStatus') {
    super({ kind: 'notTaken', operation, what: `was not asked, because ${why}` });
  }
}

/** This attempt may no longer be the current one. */
export class NotCurrentError extends NotSentError {
  /** `true` if the server said so: another attempt has taken over, or the activity must end. `false` if the server did not answer in time. */
  readonly isReplaced: boolean;

  constructor(isReplaced: boolean, operation?: IncodeOperation) {
    super(
      isReplaced
        ? 'the Temporal server has given this call to another worker, or wants it to end'
        : 'the Temporal server does not confirm that this worker is still to make this call',
      operation,
    );
    this.isReplaced = isReplaced;
  }
}

/**
 * Limits how long an attempt may finish sessions. One heartbeat timeout after the last heartbeat, the server gives the attempt to another
 * worker. A worker that was frozen or lost the server does not notice that. So each heartbeat allows finishes for half the timeout.
 *
 * Measures time by the clock that advanced more: the monotonic clock may stop while the machine is suspended, and the wall clock may be set.
 * If both stop, the lease lasts too long by that time.
 */
export class Lease {
  private readonly client = clientOfWorker();
  private readonly taskToken = activityInfo().taskToken;
  private readonly context = serializationContext();
  private readonly lastsMs = leaseMs();
  /** The last time when the server confirmed this attempt. At first, when it scheduled the attempt. */
  private confirmed = { at: now(), ageMs: ageOfAttempt() };
  private renewing: Promise<void> | undefined;
  private lost: NotCurrentError | undefined;
  readonly operation: IncodeOperation;

  /** @param operation named in errors */
  constructor(operation: IncodeOperation = 'finishStatus') {
    this.operation = operation;
  }

  /** Whether a request may be written at this moment. */
  holds(): boolean {
    // Without a client, this is a MockActivityEnvironment, and no server can give the attempt to another worker.
    if (this.client === undefined) return true;
    return this.lost === undefined && sinceMs(this.confirmed.at) + this.confirmed.ageMs < this.lastsMs;
  }

  /** The server refused to confirm the attempt, or did not confirm it in time. */
  get isLost(): boolean {
    return this.lost !== undefined;
  }

  /**
   * Sends a heartbeat, by which the server confirms that this attempt is the current one.
   *
   * @param details of the heartbeat; they replace those of earlier ones
   * @throws NotCurrentError from then on
   */
  renew(details: unknown): Promise<void> {
    this.renewing ??= this.confirm(details).finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  private async confirm(details: unknown): Promise<void> {
    const { client } = this;
    if (client === undefined) return;
    if (this.lost) throw this.lost;
    // Taken before the heartbeat, because the server may have confirmed it at any time since.
    const at = now();
    try {
      await client.withDeadline(Date.now() + this.lastsMs, () =>
        client.activity.heartbeat(this.taskToken, details, { serializationContext: this.context }),
      );
    } catch (error) {
      this.lost = new NotCurrentError(!(error instanceof ActivityCompletionError), this.operation);
      throw this.lost;
    }
    this.confirmed = { at, ageMs: 0 };
  }
}

/** Wraps a client so that it finishes a session only while the lease holds. */
export function leased(incode: IncodeClient, lease: Lease, details: () => unknown): IncodeClient {
  return {
    ...incode,
    finishStatus: (session, options) =>
      sendWhileLeased(lease, details, 'finishStatus', (mayStillSend) =>
        incode.finishStatus(session, { ...options, mayStillSend }),
      ),
  };
}

/** Sends a request only if the lease holds until the request is written. @throws NotCurrentError if nothing was sent */
export async function sendWhileLeased<T>(
  lease: Pick<Lease, 'holds' | 'renew'>,
  details: () => unknown,
  operation: IncodeOperation,
  send: (mayStillSend: () => boolean) => Promise<T>,
): Promise<T> {
  if (!lease.holds()) await lease.renew(details());
  let isWithheld = false;
  const mayStillSend = () => {
    isWithheld = !lease.holds();
    return !isWithheld;
  };
  try {
    return await send(mayStillSend);
  } catch (error) {
    throw isWithheld ? new NotCurrentError(false, operation) : error;
  }
}

/** Other teams' activities may have no heartbeat timeout. The server then replaces the attempt at its start-to-close timeout. */
function leaseMs(): number {
  const { heartbeatTimeoutMs, startToCloseTimeoutMs } = activityInfo();
  return (heartbeatTimeoutMs || startToCloseTimeoutMs) / 2;
}

/** Minimum by which this machine's clock is behind the server's, because no attempt begins before it was scheduled. */
let behindMs = 0;

/** Minimum time since the server scheduled this attempt. A clock that is ahead makes it longer, which costs only a heartbeat. */
function ageOfAttempt(): number {
  const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  behindMs = Math.max(behindMs, scheduledAt - Date.now());
  return Date.now() + behindMs - scheduledAt;
}

export interface Moment {
  wall: number;
  monotonic: number;
}

export function now(): Moment {
  return { wall: Date.now(), monotonic: performance.now() };
}

/** By the clock that advanced more. */
export function sinceMs({ wall, monotonic }: Moment): number {
  return Math.max(Date.now() - wall, performance.now() - monotonic);
}

function clientOfWorker(): Client | undefined {
  try {
    return Context.current().client;
  } catch {
    return undefined;
  }
}

/** The same context as in the worker's own heartbeats, for codecs that use it. */
function serializationContext() {
  const { namespace, workflowExecution, activityId, isLocal } = activityInfo();
  return { type: 'activity' as const, namespace, workflowId: workflowExecution?.workflowId ?? '', activityId, isLocal };
}
