import { isFinished, milestoneOf } from '../contract/index.js';
import { type ScoreResponse, scoreByExecutive, statusByExecutive } from '../incode/index.js';
import type { ResolvedActivityOptions } from './options.js';
import { statusById } from './token-fit.js';
import type { SessionInput } from './types.js';

// Reads whose answers are reported for a session. Incode may answer a session's token for the session that the token belongs to, whatever
// id is asked for. So a worker that has an executive token never relies on the session's own.

type Options = Pick<ResolvedActivityOptions, 'incode' | 'executive'>;

/** @throws TokenMismatchError */
export async function readStatus(
  { incode, executive }: Options,
  session: SessionInput,
  signal: AbortSignal,
): Promise<{ onboardingStatus: string }> {
  if (!executive) return statusById(incode, session, signal);
  return { onboardingStatus: await statusByExecutive(incode, executive, session.interviewId, signal) };
}

export interface StatusFound {
  onboardingStatus: string;
  /** The executive token has read it. */
  isConfirmed?: true;
}

/**
 * With an executive token, its answer counts, and nothing is sent for a session that is over. The session's own token is asked as well,
 * because Incode may refuse it for this id. If that one tells of a session that is over, it may be another session.
 */
export async function statusBeforeFinish(
  options: Options,
  session: SessionInput,
  signal: AbortSignal,
): Promise<StatusFound> {
  const found = await readStatus(options, session, signal);
  if (!options.executive) return found;
  if (isOver(found)) return { ...found, isConfirmed: true };
  const own = await statusById(options.incode, session, signal);
  return isOver(own) ? own : found;
}

function isOver({ onboardingStatus }: StatusFound): boolean {
  return isFinished(onboardingStatus) || milestoneOf(onboardingStatus) === 'expired';
}

export function readScore(
  { incode, executive }: Options,
  session: SessionInput,
  signal: AbortSignal,
): Promise<ScoreResponse> {
  if (!executive) return incode.score(session, { signal });
  return scoreByExecutive(incode, executive, session.interviewId, signal);
}
