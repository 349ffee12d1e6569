import type { BulkEnd } from './types.js';

/** What an attempt passes to the next one in its heartbeats. */
export interface AttemptProgress {
  ended: [index: number, end: BulkEnd][];
  /** Indexes of sessions that have not ended, and whose request to finish Incode answered with 2xx. */
  accepted: Set<number>;
}

type Details = [index: number, end: BulkEnd & { accepted?: number[] }][];

/** An index that no session has. Workers of earlier versions read its entry as the end of a session, which nothing uses. */
const NO_SESSION = -1;

export function detailsOf({ ended, accepted }: AttemptProgress): Details {
  if (accepted.size === 0) return ended;
  return [...ended, [NO_SESSION, { finish: null, accepted: [...accepted] }]];
}

/** @param details of the last heartbeat; `undefined` if there was none */
export function progressOf(details: unknown): AttemptProgress {
  const entries = (details as Details | undefined) ?? [];
  const accepted = entries.find(([index]) => index === NO_SESSION)?.[1].accepted;
  return { ended: entries.filter(([index]) => index !== NO_SESSION), accepted: new Set(accepted) };
}
