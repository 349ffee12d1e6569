import type { FinishAnswer, OnboardingResult, ScoreAnswer } from '../contract/index.js';
import { verdictOf } from '../contract/milestones.js';

/** The facts that decide the outcome of a session. */
export interface Evidence {
  finish: FinishAnswer | null;
  /** `undefined` if the plan has no score, `null` if it was not ready in time. */
  score: ScoreAnswer | null | undefined;
  onboardingStatus: string | null;
  /** Only a webhook reported the status. */
  byWebhook?: boolean;
  /** The workflow waited for a person's verdict. */
  reviewed?: boolean;
}

export type Decision = Pick<OnboardingResult, 'outcome' | 'reason'>;

/** Whether a person has to decide: the score says so, or the rules made no decision and the plan has no score. */
export function awaitsReview({ outcome }: Decision, finish: FinishAnswer, isScored: boolean): boolean {
  return outcome === 'needsReview' || (outcome === 'undecided' && !isScored && finish.action === 'none');
}

/** A person's verdict overrides the score's overall status, which overrides the rule engine's action. */
export function decide({ finish, score, onboardingStatus, byWebhook, reviewed = false }: Evidence): Decision {
  const verdict = verdictOf(onboardingStatus);
  const source = byWebhook ? ' Only a webhook said so, because there was no token to ask Incode with.' : '';
  if (verdict) return { outcome: verdict, reason: `A manual review ${verdict} the session.${source}` };
  if (finish === null) return expired(onboardingStatus, source);
  if (finish.confirmedBy === 'unconfirmed') return { outcome: 'undecided', reason: UNCONFIRMED };
  const { outcome, reason } = withoutVerdict(finish, score);
  return { outcome, reason: reviewed ? `${reason} No manual review decided within the review deadline.` : reason };
}

const UNCONFIRMED =
  "A finish request may have taken effect, and the session's status did not confirm it in time. Look at the session on Incode's dashboard.";

function expired(onboardingStatus: string | null, source: string): Decision {
  const reason =
    onboardingStatus === 'EXPIRED'
      ? `The session expired at Incode before it was finished.${source}`
      : 'The capture deadline passed before the session could be finished.';
  return { outcome: 'expired', reason };
}

function withoutVerdict(finish: FinishAnswer, score: ScoreAnswer | null | undefined): Decision {
  if (score === null) return { outcome: 'undecided', reason: 'Incode had no score within the score deadline.' };
  return score === undefined ? byAction(finish.action) : byScore(score.status);
}

function byScore(status: string): Decision {
  const reason = `The score's overall status is ${status}.`;
  if (status === 'OK') return { outcome: 'approved', reason };
  if (status === 'FAIL') return { outcome: 'rejected', reason };
  // Incode may add statuses that begin with MANUAL. A person has to look at all of them.
  if (status === 'WARN' || status.startsWith('MANUAL')) return { outcome: 'needsReview', reason };
  return { outcome: 'undecided', reason };
}

function byAction(action: string | null): Decision {
  const reason =
    action === null ? "Incode's rules named no action." : `Incode's rules answered with the action "${action}".`;
  if (action === 'approved') return { outcome: 'approved', reason };
  if (action === 'rejected') return { outcome: 'rejected', reason };
  // `none` means that Incode made no automatic decision.
  return { outcome: 'undecided', reason };
}
