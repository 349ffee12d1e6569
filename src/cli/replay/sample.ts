import { type Client, isGrpcServiceError, type WorkflowExecutionInfo } from '@temporalio/client';
import {
  ANSWER_WORKFLOW,
  BATCH_WORKFLOW,
  CAPTURE_BATCH_WORKFLOW,
  CAPTURE_WORKFLOW,
  ONBOARDING_WORKFLOW,
  SEARCH_ATTRIBUTES,
  STAGES,
} from '../../contract/index.js';
import { CLAIMS_WORKFLOW } from '../../contract/names.js';
import { GRPC } from '../../temporal/grpc.js';
import type { RecordedHistory } from '../../worker/replay.js';
import { DAY_MS } from '../shared/namespace.js';

export const REPLAYED_STATUSES = ['open', 'closed', 'all'] as const;

export interface SampleOptions {
  status: (typeof REPLAYED_STATUSES)[number];
  limit: number;
  query?: string;
}

/** Small, because only a few workflows of each kind are needed. */
const PAGE = 50;

/**
 * Takes histories of every kind and age in turn, because most of a namespace's histories are alike. Fetches each history only when
 * the previous one was replayed.
 */
export async function* sampledHistories(client: Client, options: SampleOptions): AsyncGenerator<RecordedHistory> {
  const listed = queriesFor(options).map((query) => client.workflow.list({ query, pageSize: PAGE }));
  const seen = new Set<string>();
  for await (const { workflowId, runId, type } of inTurn<WorkflowExecutionInfo>(listed)) {
    if (seen.has(runId)) continue;
    seen.add(runId);
    try {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      yield { workflowId, runId, type, history };
    } catch (error) {
      // Its retention period has ended meanwhile.
      if (!isGrpcServiceError(error) || error.code !== GRPC.notFound) throw error;
      continue;
    }
    if (seen.size >= options.limit) return;
  }
}

const OTHER_WORKFLOWS = [BATCH_WORKFLOW, ANSWER_WORKFLOW, CLAIMS_WORKFLOW, CAPTURE_WORKFLOW, CAPTURE_BATCH_WORKFLOW];

/** One query per kind and age. Ages replace ORDER BY, which not every server supports. */
export function queriesFor({ status, query }: SampleOptions, now = Date.now()): string[] {
  const { stage } = SEARCH_ATTRIBUTES;
  const sessions = `WorkflowType = '${ONBOARDING_WORKFLOW}'`;
  const kinds = [
    ...STAGES.map((name) => `${sessions} AND ${stage} = '${name}'`),
    // Sessions that never waited long enough to publish a stage.
    `${sessions} AND ${stage} IS NULL`,
    ...OTHER_WORKFLOWS.map((type) => `WorkflowType = '${type}'`),
  ];
  const day = new Date(now - DAY_MS).toISOString();
  const week = new Date(now - 7 * DAY_MS).toISOString();
  const ages = [`StartTime < '${week}'`, `StartTime >= '${week}' AND StartTime < '${day}'`, `StartTime >= '${day}'`];
  return kinds.flatMap((kind) =>
    ages.map((age) =>
      [kind, age, ...EXECUTION_STATUS[status], ...(query === undefined ? [] : [`(${query})`])].join(' AND '),
    ),
  );
}

const EXECUTION_STATUS: Record<SampleOptions['status'], string[]> = {
  open: [`ExecutionStatus = 'Running'`],
  closed: [`ExecutionStatus != 'Running'`],
  all: [],
};

/** Yields the first item of each source, then the second of each, until all have ended. */
async function* inTurn<T>(sources: AsyncIterable<T>[]): AsyncGenerator<T> {
  let open = sources.map((source) => source[Symbol.asyncIterator]());
  while (open.length > 0) {
    const left: typeof open = [];
    for (const source of open) {
      const { value, done } = await source.next();
      if (done) continue;
      left.push(source);
      yield value;
    }
    open = left;
  }
}
