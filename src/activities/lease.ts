import { activityInfo, Context } from '@temporalio/activity';
import { ActivityCompletionError, type Client } from '@temporalio/client';
import { type IncodeClient, IncodeError, type IncodeOperation } from '../incode/index.js';

/** This worker has decided not to send a request that must not be sent twice. It says nothing about Incode. */
export class NotSentError extends IncodeError {
  constructor(why: string, operation: IncodeOperation = 'finishStatus') {
    super({ kind: 'notTaken', operation, what: `was not asked, because ${why}` });
  }
}

/** This attempt may not be the current one any more. */
export class NotCurrentError extends NotSentError {
  /** The server has said so: another attempt has taken over, or the activity is to end. Otherwise it has said nothing in time. */
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
 * For how long an attempt may finish sessions. A worker that was frozen, or has lost the server, goes on with attempts that the
 * server gives to another worker one heartbeat timeout after the last sign of life. So each sign of life is good for half of that.
 *
 * Time is the larger advance of two clocks: the monotonic one may stand still while a machine is suspended, and the wall clock may be
 * set. If both stand still, the lease is too long by that time.
 */
export class Lease {
  private readonly client = clientOfWorker();
  private readonly taskToken = activityInfo().taskToken;
  private readonly context = serializationContext();
  private readonly lastsMs = leaseMs();
  /** The last sign of life that the server has. The first one is that it has scheduled this attempt. */
  private lifeSign = { at: now(), ageMs: ageOfAttempt() };
  private renewing: Promise<void> | undefined;
  private lost: NotCurrentError | undefined;

  /** Whether a request may be written at this moment. */
  holds(): boolean {
    // Without a client there is no server that could give the attempt to another worker: it is a MockActivityEnvironment.
    if (this.client === undefined) return true;
    return this.lost === undefined && sinceMs(this.lifeSign.at) + this.lifeSign.ageMs < this.lastsMs;
  }

  /** The server has refused to confirm it, or has not done so in time. */
  get isLost(): boolean {
    return this.lost !== undefined;
  }

  /**
   * Has the server confirm that this attempt is the current one, by a heartbeat.
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
    // A confirmation says how things stood when the heartbeat was sent, or later.
    const at = now();
    try {
      await client.withDeadline(Date.now() + this.lastsMs, () =>
        client.activity.heartbeat(this.taskToken, details, { serializationContext: this.context }),
      );
    } catch (error) {
      this.lost = new NotCurrentError(!(error instanceof ActivityCompletionError));
      throw this.lost;
    }
    this.lifeSign = { at, ageMs: 0 };
  }
}

/** The same client, which finishes a session only while the lease holds. */
export function leased(incode: IncodeClient, lease: Lease, details: () => unknown): IncodeClient {
  return {
    ...incode,
    finishStatus: (session, options) =>
      sendWhileLeased(lease, details, 'finishStatus', (mayStillSend) =>
        incode.finishStatus(session, { ...options, mayStillSend }),
      ),
  };
}

/** Sends a request only while the lease holds, up to the moment at which it is written. @throws NotCurrentError if nothing was sent */
export async function sendWhileLeased<T>(
  lease: Lease,
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

/** An activity of others may have no heartbeat timeout: it is given to another worker when its time is over. */
function leaseMs(): number {
  const { heartbeatTimeoutMs, startToCloseTimeoutMs } = activityInfo();
  return (heartbeatTimeoutMs || startToCloseTimeoutMs) / 2;
}

/** How far this machine's clock is behind the server's, at least: no attempt begins before it was scheduled. */
let behindMs = 0;

/** How long ago the server scheduled this attempt, at least. A clock that is ahead makes it longer, which costs a heartbeat. */
function ageOfAttempt(): number {
  const { currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  behindMs = Math.max(behindMs, scheduledAt - Date.now());
  return Date.now() + behindMs - scheduledAt;
}

interface Moment {
  wall: number;
  monotonic: number;
}

function now(): Moment {
  return { wall: Date.now(), monotonic: performance.now() };
}

function sinceMs({ wall, monotonic }: Moment): number {
  return Math.max(Date.now() - wall, performance.now() - monotonic);
}

function clientOfWorker(): Client | undefined {
  try {
    return Context.current().client;
  } catch {
    return undefined;
  }
}

/** As the worker's own heartbeats have it, so that a codec that looks at it finds the same. */
function serializationContext() {
  const { namespace, workflowExecution, activityId, isLocal } = activityInfo();
  return { type: 'activity' as const, namespace, workflowId: workflowExecution?.workflowId ?? '', activityId, isLocal };
}
