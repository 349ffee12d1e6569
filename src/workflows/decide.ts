import type { FinishAnswer, OnboardingResult, ResolvedPlan, ScoreAnswer } from '../contract/index.js';

/** What is known of a session when its outcome has to be named. */
export interface Evidence {
  finish: FinishAnswer | null;
  /** `undefined` if nobody asked for it, `null` if it was not ready in time. */
  score: ScoreAnswer | null | undefined;
  onboardingStatus: string | null;
}

export type Decision = Pick<OnboardingResult, 'outcome' | 'reason'>;

/** An action that was lost on the way cannot decide, so the score is read even if the plan does without. */
export function needsScore(plan: Pick<ResolvedPlan, 'score'>, finish: FinishAnswer): boolean {
  return plan.score || finish.action === null;
}

/** A person's verdict comes before the score's overall status, that before the rule engine's action. */
export function decide({ finish, score, onboardingStatus }: Evidence): Decision {
  switch (onboardingStatus) {
    case 'MANUAL_REVIEW_APPROVED':
      return { outcome: 'approved', reason: 'A manual review approved the session.' };
    case 'MANUAL_REVIEW_REJECTED':
      return { outcome: 'rejected', reason: 'A manual review rejected the session.' };
  }
  if (finish === null) return { outcome: 'expired', reason: 'The session expired at Incode before it was finished.' };
  if (score === null) return { outcome: 'undecided', reason: 'Incode had no score within the score deadline.' };
  return score === undefined ? byAction(finish.action) : byScore(score.status);
}

function byScore(status: string): Decision {
  const reason = `The score's overall status is ${status}.`;
  if (status === 'OK') return { outcome: 'approved', reason };
  if (status === 'FAIL') return { outcome: 'rejected', reason };
  // Whatever Incode adds under MANUAL, a person is to look at it.
  if (status === 'WARN' || status.startsWith('MANUAL')) return { outcome: 'needsReview', reason };
  return { outcome: 'undecided', reason };
}

function byAction(action: string | null): Decision {
  const reason =
    action === null ? "Incode's rules named no action." : `Incode's rules answered with the action "${action}".`;
  if (action === 'approved') return { outcome: 'approved', reason };
  if (action === 'rejected') return { outcome: 'rejected', reason };
  // `none` is a normal answer: no automatic decision was made.
  return { outcome: 'undecided', reason };
}
