import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
} from '@temporalio/workflow';
import { needsScore } from '../contract/guards.js';
import {
  checkOnboardingInput,
  isFinished,
  isProcessed,
  type OnboardingInput,
  type OnboardingResult,
} from '../contract/index.js';
import { isExpired, verdictOf } from '../contract/milestones.js';
import { awaitsReview, type Decision, decide } from './decide.js';
import { mayFollowAnother, unlessReset } from './earlier-requests.js';
import { guarded } from './failures.js';
import { untilHintsAreChecked } from './hints.js';
import { handleMessages, refuseMessages } from './messages.js';
import { NEW_RUN, NewRunIsDue } from './new-run.js';
import { addEvent, carriedRecord, type SessionRecord } from './record.js';
import { Session } from './session.js';
import { closeSession, finishSession, scoreSession } from './steps.js';
import { readableInput } from './unreadable.js';
import { publishOutcome, publishResult } from './visibility.js';
import { waitInStage } from './waits.js';

/**
 * Completes one Incode session. The steps are: wait until it can be finished, finish, close, score, wait for a person's verdict. The plan
 * can leave out every step but finishing.
 *
 * @param carried the record of the previous run; callers omit it
 * @example
 * ```ts
 * // In a workflow of your own. Services use `OnboardingClient`.
 * const { outcome } = await executeChild<OnboardingWorkflow>(ONBOARDING_WORKFLOW, {
 *   workflowId: onboardingWorkflowId(interviewId),
 *   taskQueue: TASK_QUEUE,
 *   args: [{ interviewId, sessionToken }],
 * });
 * ```
 */
export async function onboardingSession(input: OnboardingInput, carried?: SessionRecord): Promise<OnboardingResult> {
  const checkedInput = checked(input);
  const record = carriedRecord(carried);
  const session = new Session(checkedInput, record);
  handleMessages(session);
  if (mayFollowAnother(record !== undefined)) session.record.earlierRequest = { lastSentAt: Date.now() };
  return new Onboarding(session).run();
}

function checked(input: OnboardingInput): OnboardingInput {
  try {
    return guarded(() => checkOnboardingInput(readableInput(input)));
  } catch (error) {
    refuseMessages(error);
    throw error;
  }
}

class Onboarding {
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
  }

  async run(): Promise<OnboardingResult> {
    const { session } = this;
    try {
      for (;;) {
        try {
          return await this.complete();
        } catch (error) {
          if (!(error instanceof NewRunIsDue)) throw error;
          // A new run would lose the answer of an update that arrived meanwhile.
          if (!allHandlersFinished()) continue;
          const record = { ...session.record, earlierRequest: unlessReset(session.record.earlierRequest) };
          await makeContinueAsNewFunc<typeof onboardingSession>(NEW_RUN)(session.input, record);
        }
      }
    } catch (error) {
      if (error instanceof ContinueAsNew) throw error;
      addEvent(session.record, isCancellation(error) ? 'Cancelled' : `Failed: ${(error as Error).message}`);
      session.failure = error;
      throw error;
    } finally {
      // Callers get the answers of their updates even if the workflow fails or is cancelled.
      if (!allHandlersFinished()) await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
  }

  /** Skips the steps that a previous run has done. */
  private async complete(): Promise<OnboardingResult> {
    const { plan, record } = this.session;
    if (record.answer === null) {
      if (await this.captured()) await finishSession(this.session);
      else record.answer = { finish: null };
    }
    const finish = record.answer?.finish ?? null;
    const isConfirmed = finish?.confirmedBy !== 'unconfirmed';
    if (finish && isConfirmed && plan.close && record.closed === null) await closeSession(this.session);
    if (finish && needsScore(plan, finish) && record.score === null) await scoreSession(this.session);
    if (finish && plan.review === 'wait' && awaitsReview(this.decision(), finish, needsScore(plan, finish)))
      await this.review();
    // A person's verdict overrides everything else, also if its webhook has only just arrived.
    await untilHintsAreChecked(this.session, isVerdict);
    return this.conclude();
  }

  /** @returns whether to finish the session; if not, it has expired */
  private async captured(): Promise<boolean> {
    const { session } = this;
    const { plan, record } = session;
    if (plan.finishWhen === 'now') return true;
    // If somebody else finished the session, the wait is over.
    const readyBy = plan.finishWhen === 'processed' ? isProcessed : isFinished;
    const isReady = () => record.asked || readyBy(record.onboardingStatus);
    session.publish();
    await waitInStage(session, {
      summary: 'Capture deadline',
      isOver: () => isReady() || isExpired(record.onboardingStatus),
      decides: (hint) => readyBy(hint) || isExpired(hint),
      poll: plan.finishWhen === 'processed' ? 'processed' : undefined,
    });
    return isReady();
  }

  private async review(): Promise<void> {
    const { session } = this;
    session.enter('inReview', session.plan.reviewDeadlineMs);
    await waitInStage(session, {
      summary: 'Review deadline',
      isOver: () => isVerdict(session.record.onboardingStatus),
      decides: isVerdict,
      poll: 'reviewed',
    });
  }

  private decision(): Decision {
    const { plan, record } = this.session;
    const finish = record.answer?.finish ?? null;
    const isScored = finish !== null && needsScore(plan, finish);
    const score = isScored ? (record.score?.answer ?? null) : undefined;
    const { onboardingStatus, byWebhook, stage } = record;
    return decide({ finish, score, onboardingStatus, byWebhook, reviewed: stage === 'inReview' });
  }

  private conclude(): OnboardingResult {
    const { record, input } = this.session;
    const { outcome, reason } = this.decision();
    record.stage = 'done';
    record.deadline = null;
    record.outcome = outcome;
    addEvent(record, `Outcome: ${outcome}`);
    publishOutcome(outcome);
    publishResult(outcome, reason);
    return {
      interviewId: input.interviewId,
      outcome,
      finish: record.answer?.finish ?? null,
      score: record.score?.answer ?? null,
      closed: record.closed,
      onboardingStatus: record.onboardingStatus,
      ...(record.onboardingStatus !== null && { confirmedBy: record.byWebhook ? 'webhook' : 'incode' }),
      reason,
    };
  }
}

function isVerdict(onboardingStatus: string | null): boolean {
  return verdictOf(onboardingStatus) !== undefined;
}
