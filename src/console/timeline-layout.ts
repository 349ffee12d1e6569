import type { TimelineEntry } from '../contract/types.js';

/** A part of a session's life in one stage. */
export interface Segment {
  stage: string;
  from: number;
  to: number;
  /** Share of the width. A long part is wider, but a part of seconds beside one of days can still be seen. */
  weight: number;
  /** Positions of the events, from 0 to 1. */
  events: number[];
}

const STAGE = /^Stage: (\w+)$/;
/** Before the first stage is known. */
const BEGIN = 'started';

/**
 * Lays out a timeline as parts, one for each stay in a stage. Text of other events is not interpreted.
 *
 * @param end when the session ended, or now
 */
export function segmentsOf(timeline: readonly TimelineEntry[], end: number): Segment[] {
  const events = timeline.map(({ at, event }) => ({ at: Date.parse(at), event }));
  const [first] = events;
  if (!first) return [];
  const segments: Segment[] = [{ stage: BEGIN, from: first.at, to: end, weight: 0, events: [] }];
  let current = segments[0] as Segment;
  for (const { at, event } of events) {
    const stage = STAGE.exec(event)?.[1];
    if (stage === undefined) {
      current.events.push(at);
      continue;
    }
    current.to = at;
    if (stage === 'done') return laidOut(segments);
    current = { stage, from: at, to: end, weight: 0, events: [] };
    segments.push(current);
  }
  return laidOut(segments);
}

const SMALLEST_WEIGHT = 1;

function laidOut(segments: Segment[]): Segment[] {
  return segments
    .filter(({ stage, from, to, events }) => stage !== BEGIN || to - from > 1_000 || events.length > 1)
    .map((segment) => {
      const { from, to, events } = segment;
      const lasts = Math.max(0, to - from);
      return {
        ...segment,
        weight: SMALLEST_WEIGHT + Math.log10(1 + lasts / 1_000),
        events: events.map((at) => (lasts === 0 ? 0 : Math.min(1, Math.max(0, (at - from) / lasts)))),
      };
    });
}
