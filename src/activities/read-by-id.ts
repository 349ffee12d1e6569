import { isFinished } from '../contract/index.js';
import { milestoneOf } from '../contract/milestones.js';
import { type ScoreResponse, scoreByExecutive, statusByExecutive } from '../incode/index.js';
import type { ResolvedActivityOptions } from './options.js';
import { statusById } from './token-fit.js';
import type { SessionInput } from './types.js';

// These reads produce what is reported for a session. Incode may answer a session's token about the token's own session instead of the
// requested id. So a worker with an executive token never relies on the session's token.

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
  /** Present if the executive token read the status. */
  isConfirmed?: true;
}

/**
 * With an executive token, its answer counts, and a session that is over needs no request. Also reads with the session's own token, because
 * Incode may refuse that token for this id. If that read says "over", it may be about another session.
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
