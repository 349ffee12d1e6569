import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { CLAIM_SIGNALS } from '../../contract/names.js';
import { NEW_RUN, newRunIsDue } from '../new-run.js';
import { ifReadable, needed } from '../unreadable.js';
import { type ClaimView, claimMessage, releaseMessage } from './messages.js';
import { ClaimRegistry, type ClaimsRecord } from './registry.js';

const claim = defineSignal<[unknown]>(CLAIM_SIGNALS.claim);
const release = defineSignal<[unknown]>(CLAIM_SIGNALS.release);

/** Temporal fails a workflow task that leaves more than 2,000 signals in flight, again at every retry. */
const MAX_IN_FLIGHT = 100;

/**
 * At each interval the workflow signals all shards, because a signal to a terminated shard fails. If no shard has a claim, the workflow ends.
 */
const SWEEP_INTERVAL = '10 minutes';

/**
 * Keeps batches that share sessions from finishing one twice: it records which shard holds which session. Each bulk task queue has one
 * such workflow. Shards start it when they need it.
 *
 * @param carried the claims of the previous run; callers omit it
 */
export async function onboardingBatchClaims(carried?: ClaimsRecord): Promise<void> {
  const record = workflowInfo().continuedFromExecutionRunId === undefined ? undefined : needed(carried);
  await new Claims(record).run();
}

class Claims {
  private readonly registry: ClaimRegistry;
  /** Shards with a signal in flight. Each has at most one, so that signals arrive in order. */
  private readonly busy = new Set<string>();
  private hasChanged = false;
  /** No shard had a claim when the timer fired. */
  private isUnused = false;

  constructor(record: ClaimsRecord | undefined) {
    this.registry = new ClaimRegistry(record);
    setHandler(
      claim,
      this.handler(CLAIM_SIGNALS.claim, claimMessage, (message) => this.registry.claim(message)),
    );
    setHandler(
      release,
      this.handler(CLAIM_SIGNALS.release, releaseMessage, (message) => this.registry.release(message)),
    );
  }

  async run(): Promise<void> {
    // Cancellation ends the workflow itself.
    this.sweep().catch(() => undefined);
    for (;;) {
      // Under load some view is always in flight. So a run that is due sends no more, and the next run sends the rest.
      const isRunOver = newRunIsDue();
      const room = isRunOver ? 0 : MAX_IN_FLIGHT - this.busy.size;
      for (const [shard, view] of this.registry.takeViews(this.busy, room)) void this.sendView(shard, view);
      if (this.busy.size === 0) {
        if (this.isUnused && this.registry.isEmpty) return;
        if (isRunOver) await makeContinueAsNewFunc<typeof onboardingBatchClaims>(NEW_RUN)(this.registry.record());
      }
      const { shards, sessions } = this.registry.size;
      setCurrentDetails(`${sessions} sessions are held by ${shards} shards`);
      this.hasChanged = false;
      await condition(() => this.hasChanged);
    }
  }

  private async sendView(shard: string, view: ClaimView): Promise<void> {
    this.busy.add(shard);
    try {
      await getExternalWorkflowHandle(shard).signal(CLAIM_SIGNALS.claimed, view);
    } catch {
      this.registry.undelivered(shard, view);
    } finally {
      this.busy.delete(shard);
      this.hasChanged = true;
    }
  }

  private async sweep(): Promise<void> {
    for (;;) {
      await sleep(SWEEP_INTERVAL, { summary: 'Until terminated shards are looked for' });
      this.isUnused = this.registry.isEmpty;
      this.registry.resendAll();
      this.hasChanged = true;
    }
  }

  private handler<T>(signal: string, check: (value: unknown) => T | undefined, handle: (message: T) => void) {
    return ifReadable(signal, (value: unknown) => {
      const message = check(value);
      if (!message) return;
      handle(message);
      this.hasChanged = true;
    });
  }
}
