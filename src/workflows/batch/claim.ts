import {
  CancellationScope,
  condition,
  defineSignal,
  executeChild,
  getExternalWorkflowHandle,
  patched,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { BatchSession } from '../../contract/index.js';
import { CLAIM_SIGNALS, CLAIMS_STARTER, claimsWorkflowId } from '../../contract/names.js';
import { type ClaimMessage, claimView, type ReleaseMessage } from '../claims/messages.js';
import { ifReadable } from '../unreadable.js';
import { ClaimedSessions } from './claimed-sessions.js';

const claimed = defineSignal<[unknown]>(CLAIM_SIGNALS.claimed);

/** The claims workflow answers within milliseconds. It may have been terminated, or other batches may need it to wait. */
const ASK_AGAIN_AFTER = '5 minutes';

/** The claims workflow may end between its start and the claim, for example because somebody terminates it. */
const MAX_STARTS = 3;

/** The start takes milliseconds. A worker with other workflow code may not know it. */
const START_TIMEOUT = '1 minute';

export interface ClaimHost {
  sessions: BatchSession[];
  /** Whether the shard sends nothing more for the session with this index. */
  isEnded(index: number): boolean;
  /** Another shard held these sessions, and may have sent them to Incode a moment ago. */
  onPassedOn(indexes: number[]): void;
  /** Other sessions may begin, or be released. */
  onChange(): void;
}

/**
 * A shard's claim to its sessions. The shard asks the claims workflow of its task queue before it gives sessions to an activity, and
 * leaves sessions alone that another shard holds.
 */
export class ShardClaim {
  private readonly host: ClaimHost;
  private readonly known: ClaimedSessions;
  private asked = 0;
  private isAnswered = true;
  private isFull = false;
  private sending = 0;
  private claimId = '';
  private isRenewed = false;
  private decisions = 0;

  constructor(host: ClaimHost) {
    this.host = host;
    this.known = new ClaimedSessions(host.sessions);
  }

  /** Handles answers. Some may have arrived before the run began. */
  listen(): void {
    const update = ifReadable(CLAIM_SIGNALS.claimed, (value: unknown) => this.update(value));
    setHandler(claimed, update);
  }

  /** Whether a message to the claims workflow is on its way. */
  get isSending(): boolean {
    return this.sending > 0;
  }

  /** What the shard waits for, in words for people. */
  get waitsFor(): string | null {
    if (this.isAnswered) return this.known.waitsFor();
    if (this.isFull) return 'other batches on this task queue have too many sessions in progress';
    return this.asked > 1 ? `the workflow ${claimsId()} does not answer` : null;
  }

  begin(): void {
    this.isAnswered = false;
    this.claimId = uuid4();
    // Cancellation ends the shard itself.
    this.askUntilSettled().catch(() => undefined);
  }

  mayBegin(index: number): boolean {
    return this.isAnswered && !this.known.isHeldByOther(index);
  }

  /**
   * After a reset, the claim is the one of the run that was replaced. It may have been released since. Asks again at the first decision
   * that is not a replay: only there may new commands be added to the history.
   *
   * @returns whether the shard has to wait for an answer
   */
  renewAfterReset(): boolean {
    const { runId, originalExecutionRunId, unsafe } = workflowInfo();
    this.decisions += 1;
    if (this.asked === 0 || this.isRenewed) return false;
    // Tools replay a history with the original run id. In a replay, `patched` is only true where this run has asked again.
    if (runId === originalExecutionRunId && !unsafe.isReplaying) return false;
    if (!patched(`claim-again-${this.decisions}`)) return false;
    this.isRenewed = true;
    this.begin();
    return true;
  }

  /** Releases sessions that have ended and that others wait for. All others are released at the end, with one signal. */
  releaseEnded(): void {
    const sessions = this.known.takeReleasable((index) => this.host.isEnded(index));
    if (sessions) void this.send(CLAIM_SIGNALS.release, { shard: workflowInfo().workflowId, sessions });
  }

  /** Call it in a scope that is not cancelled. */
  async end(): Promise<void> {
    if (this.asked === 0) return;
    await condition(() => !this.isSending);
    await this.send(CLAIM_SIGNALS.release, { shard: workflowInfo().workflowId });
  }

  private async askUntilSettled(): Promise<void> {
    const isSettled = () => this.isAnswered && !this.known.isWaiting;
    do {
      // A cancelled shard has to know whether its claim has arrived.
      await CancellationScope.nonCancellable(() => this.ask());
    } while (!(await condition(isSettled, ASK_AGAIN_AFTER)));
  }

  private async ask(): Promise<void> {
    this.asked += 1;
    const { known, claimId } = this;
    const parts = known.toAsk((index) => this.host.isEnded(index));
    const message = { shard: workflowInfo().workflowId, claimId, ...parts };
    for (let starts = 0; !(await this.send(CLAIM_SIGNALS.claim, message)) && starts < MAX_STARTS; starts += 1) {
      await this.startClaims();
    }
  }

  private async startClaims(): Promise<void> {
    this.sending += 1;
    try {
      await executeChild(CLAIMS_STARTER, {
        // What it starts serves all shards of the task queue, also if this one is cancelled or ends.
        parentClosePolicy: 'ABANDON',
        cancellationType: 'ABANDON',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowExecutionTimeout: START_TIMEOUT,
      });
    } catch {
      // The shard asks again later.
    } finally {
      this.sending -= 1;
    }
  }

  /** @returns whether the claims workflow runs */
  private async send(signal: string, message: ClaimMessage | ReleaseMessage): Promise<boolean> {
    this.sending += 1;
    try {
      await getExternalWorkflowHandle(claimsId()).signal(signal, message);
      return true;
    } catch {
      return false;
    } finally {
      this.sending -= 1;
      this.host.onChange();
    }
  }

  private update(value: unknown): void {
    const view = claimView(value);
    if (!view) return;
    this.host.onPassedOn(this.known.applyChanges(view));
    this.releaseEnded();
    // An answer to an earlier run may be out of date.
    if (view.claimId === this.claimId) {
      this.isFull = view.isFull === true;
      this.isAnswered ||= !this.isFull;
      if (!this.isFull) this.host.onPassedOn(this.known.update(view));
    }
    this.host.onChange();
  }
}

function claimsId(): string {
  return claimsWorkflowId(workflowInfo().taskQueue);
}
