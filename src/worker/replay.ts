import type { HistoryAndWorkflowId } from '@temporalio/client';
import type { ReplayWorkerOptions } from '@temporalio/worker';

export interface RecordedHistory {
  workflowId: string;
  /** `null` for one from a file. */
  runId: string | null;
  type: string;
  /** As the client gives it, or its JSON. */
  history: unknown;
}

export interface Replayed extends Omit<RecordedHistory, 'history'> {
  /** `null` if this version comes to what is recorded. */
  reason: string | null;
}

/** One after the other: in memory there is one history at a time. */
export async function* replayed(
  options: ReplayWorkerOptions,
  histories: AsyncIterable<RecordedHistory>,
): AsyncGenerator<Replayed> {
  // Loaded only now: it takes most of a second, and --help does without.
  const { DefaultLogger, Runtime, Worker } = await import('@temporalio/worker');
  // What they would log is in the results.
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({
    logger,
    telemetryOptions: { logging: { forward: {}, filter: { core: 'ERROR', other: 'ERROR' } } },
  });
  const given: Omit<RecordedHistory, 'history'>[] = [];
  async function* handedOver(): AsyncGenerator<HistoryAndWorkflowId> {
    for await (const { history, ...facts } of histories) {
      given.push(facts);
      yield { workflowId: facts.workflowId, history: history as HistoryAndWorkflowId['history'] };
    }
  }
  for await (const { error } of Worker.runReplayHistories(options, handedOver())) {
    const facts = given.shift();
    if (facts) yield { ...facts, reason: error ? inShort(error) : null };
  }
}

/** The SDK's sentence about replays in general is left out. */
function inShort({ message }: Error): string {
  const [, details = message] = message.split('Details: ');
  return (details.split('\n')[0] ?? '').slice(0, 300);
}
