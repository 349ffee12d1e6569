import { median, rounded } from '../lib/statistics.js';

// Where the time of one session goes, by the times that the server wrote into its history. Client and server share a clock here.

const PHASES = ['start request', 'workflow task handed over', 'workflow runs', 'activity handed over', 'activity runs'];
const LAST = 'answer on its way';
export const PHASE_NAMES = [...PHASES, LAST];

/** For what the server does between the times that it writes, and for a clock that is set. */
const TOLERANCE_MS = 5;

/** Which phase ends with an event, and by which of its fields names the event that the phase began with. */
const ENDS = {
  workflowTaskStartedEventAttributes: ['workflow task handed over', 'scheduledEventId'],
  workflowTaskCompletedEventAttributes: ['workflow runs', 'startedEventId'],
  activityTaskStartedEventAttributes: ['activity handed over', 'scheduledEventId'],
  activityTaskCompletedEventAttributes: ['activity runs', 'startedEventId'],
};

/**
 * @param events of a history whose session had nothing to repeat
 * @param times when the caller asked and when it had the answer, in ms since the epoch
 * @returns ms by phase
 */
export function phasesOf(events, { askedAt, answeredAt }) {
  const at = new Map(events.map(({ eventId, eventTime }) => [String(eventId), msOf(eventTime)]));
  // The answer of an update does not wait for the end.
  const early = events.findIndex(({ workflowExecutionUpdateCompletedEventAttributes: completed }) => completed);
  const until = early < 0 ? events : events.slice(0, early + 1);
  const phases = Object.fromEntries(PHASE_NAMES.map((name) => [name, 0]));
  phases['start request'] = msOf(events[0].eventTime) - askedAt;
  for (const event of until) {
    const kind = Object.keys(ENDS).find((name) => event[name]);
    if (!kind) continue;
    const [phase, begun] = ENDS[kind];
    phases[phase] += msOf(event.eventTime) - at.get(String(event[kind][begun]));
  }
  phases[LAST] = answeredAt - msOf(until.at(-1).eventTime);
  const sum = Object.values(phases).reduce((total, ms) => total + ms, 0);
  // Nothing overlaps, and between a task's end and the next one's schedule the server takes no time.
  if (Math.abs(sum - (answeredAt - askedAt)) > TOLERANCE_MS || Math.min(...Object.values(phases)) < -TOLERANCE_MS)
    throw new Error(
      `The phases of a session do not add up: ${JSON.stringify({ ...phases, sum, askedAt, answeredAt })}`,
    );
  return phases;
}

/** @returns the median of each phase */
export function typicalPhases(samples) {
  return Object.fromEntries(PHASE_NAMES.map((name) => [name, rounded(median(samples.map((one) => one[name])))]));
}

function msOf({ seconds, nanos }) {
  return Number(seconds) * 1_000 + (nanos ?? 0) / 1e6;
}
