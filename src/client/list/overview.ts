import type { Client } from '@temporalio/client';
import { OUTCOMES, type Outcome } from '../../contract/index.js';
import { LONG_CAPTURE_STAGES, LONG_STAGES } from '../../contract/long-stages.js';
import { withTemporalErrors } from '../temporal-failure.js';
import { type Filter, queryFor } from './query.js';

/** How many onboardings are where, and how those of the last day ended. Without the sessions of batches, which have no workflow each. */
export interface Overview {
  /** Open sessions. `atWork`: those that wait for nobody. */
  sessions: Record<(typeof LONG_STAGES)[number] | 'atWork', number>;
  /** Open onboardings of people from images. `atWork`: those that wait for nobody. */
  people: Record<(typeof LONG_CAPTURE_STAGES)[number] | 'atWork', number>;
  /** Sessions that ended in the last 24 hours, oldest hour first. The last one is the current hour. */
  hours: OverviewHour[];
}

export interface OverviewHour {
  /** ISO 8601. @format date-time */
  from: string;
  outcomes: Record<Outcome, number>;
  /** Ended without an outcome: failed, timed out or terminated. */
  failed: number;
}

const HOUR_MS = 3_600_000;
const HOURS = 24;
/** An hour's counts are final this long after its end, when the server has listed all that ended in it. */
const SETTLED_MS = 120_000;
const MAX_CONCURRENT = 8;
/** Shorter than the console waits for an answer. */
const DEADLINE_MS = 15_000;
const FAILED = ['failed', 'timedOut', 'terminated'] as const;

/** @returns a function that counts. It asks for past hours once, because their counts do not change. */
export function overviewOf(client: Client): () => Promise<Overview> {
  const settled = new Map<number, OverviewHour>();
  return async () => {
    const now = Date.now();
    const current = Math.floor(now / HOUR_MS) * HOUR_MS;
    const starts = Array.from({ length: HOURS }, (_, at) => current - (HOURS - 1 - at) * HOUR_MS);
    for (const start of settled.keys()) if (!starts.includes(start)) settled.delete(start);
    const count = limited(client);
    const [sessions, people, hours] = await withTemporalErrors(client, () =>
      client.withDeadline(now + DEADLINE_MS, () =>
        Promise.all([
          openIn(count, LONG_STAGES, {}),
          openIn(count, LONG_CAPTURE_STAGES, { people: true }),
          Promise.all(starts.map((start) => settled.get(start) ?? hourOf(count, start))),
        ]),
      ),
    );
    starts.forEach((start, at) => {
      const hour = hours[at];
      if (hour && start + HOUR_MS + SETTLED_MS < now) settled.set(start, hour);
    });
    return { sessions, people, hours };
  };
}

type Count = (query: string) => Promise<number>;

/** Makes one query for each stage, because servers group only by ExecutionStatus. */
async function openIn<Name extends Filter['stage'] & string>(
  count: Count,
  stages: readonly Name[],
  filter: Filter,
): Promise<Record<Name | 'atWork', number>> {
  const open = { ...filter, status: 'open' } as const;
  const [all = 0, ...each] = await Promise.all([
    count(queryFor(open)),
    ...stages.map((stage) => count(queryFor({ ...open, stage }))),
  ]);
  // The counts are not taken at the same instant, so the difference may be negative.
  const atWork = Math.max(0, all - each.reduce((sum, some) => sum + some, 0));
  const counts = [...stages.map((stage, at) => [stage, each[at] ?? 0]), ['atWork', atWork]];
  return Object.fromEntries(counts) as Record<Name | 'atWork', number>;
}

async function hourOf(count: Count, start: number): Promise<OverviewHour> {
  const endedThen = `CloseTime >= '${iso(start)}' AND CloseTime < '${iso(start + HOUR_MS)}'`;
  const ended = (filter: Filter) => count(`${queryFor(filter)} AND ${endedThen}`);
  // Most hours of a small installation are empty, and one query says so.
  const isEmpty = (await ended({ status: 'closed' })) === 0;
  const outcomes = await Promise.all(OUTCOMES.map((outcome) => (isEmpty ? 0 : ended({ outcome }))));
  const failures = await Promise.all(isEmpty ? [] : FAILED.map((status) => ended({ status })));
  return {
    from: iso(start),
    outcomes: Object.fromEntries(OUTCOMES.map((outcome, at) => [outcome, outcomes[at]])) as Record<Outcome, number>,
    failed: failures.reduce((sum, some) => sum + some, 0),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Counts with a limit of requests at the same time. */
function limited(client: Client): Count {
  const { namespace } = client.options;
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (query) => {
    if (running >= MAX_CONCURRENT) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      const { count } = await client.workflowService.countWorkflowExecutions({ namespace, query });
      return Number(count);
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
}
