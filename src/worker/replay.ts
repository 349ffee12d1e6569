import type { HistoryAndWorkflowId } from '@temporalio/client';
import type { ReplayWorkerOptions } from '@temporalio/worker';

export interface RecordedHistory {
  workflowId: string;
  /** `null` for a history from a file. */
  runId: string | null;
  type: string;
  /** As the client returns it, or its JSON. */
  history: unknown;
}

export interface Replayed extends Omit<RecordedHistory, 'history'> {
  /** Why the replay failed; `null` if this version produces the recorded commands. */
  reason: string | null;
}

/** Replays histories one after the other, so that only one is in memory. */
export async function* replayed(
  options: ReplayWorkerOptions,
  histories: AsyncIterable<RecordedHistory>,
): AsyncGenerator<Replayed> {
  // Loaded here, because it takes most of a second and --help does not need it.
  const { DefaultLogger, Runtime, Worker } = await import('@temporalio/worker');
  // The results contain what would be logged.
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({
    logger,
    telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const replaying: Omit<RecordedHistory, 'history'>[] = [];
  async function* historiesToReplay(): AsyncGenerator<HistoryAndWorkflowId> {
    for await (const { history, ...facts } of histories) {
      replaying.push(facts);
      yield { workflowId: facts.workflowId, history: history as HistoryAndWorkflowId['history'] };
    }
  }
  for await (const { error } of Worker.runReplayHistories(options, historiesToReplay())) {
    const facts = replaying.shift();
    if (facts) yield { ...facts, reason: error ? summaryOf(error) : null };
  }
}

/** Drops the SDK's general introduction. */
function summaryOf({ message }: Error): string {
  const [, details = message] = message.split('Details: ');
  return (details.split('\n')[0] ?? '').slice(0, 300);
}
