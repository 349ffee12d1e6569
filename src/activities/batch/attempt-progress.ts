import type { BulkEnd } from './types.js';

/** What a heartbeat leaves to the next attempt. */
export interface Beat {
  ended: [index: number, end: BulkEnd][];
  /** Places of sessions that have not ended, and whose request to finish Incode has answered with 2xx. */
  accepted: Set<number>;
}

type Details = [index: number, end: BulkEnd & { accepted?: number[] }][];

/** A place that no session has. Workers of earlier versions take what stands there for the end of a session, and nobody reads it. */
const NOWHERE = -1;

export function detailsOf({ ended, accepted }: Beat): Details {
  if (accepted.size === 0) return ended;
  return [...ended, [NOWHERE, { finish: null, accepted: [...accepted] }]];
}

/** @param details of the last heartbeat, `undefined` if there was none */
export function beatOf(details: unknown): Beat {
  const entries = (details as Details | undefined) ?? [];
  const accepted = entries.find(([index]) => index === NOWHERE)?.[1].accepted;
  return { ended: entries.filter(([index]) => index !== NOWHERE), accepted: new Set(accepted) };
}
