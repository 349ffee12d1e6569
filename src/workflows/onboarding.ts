import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
} from '@temporalio/workflow';
import {
  checkOnboardingInput,
  type FinishAnswer,
  isFinished,
  isProcessed,
  milestoneOf,
  needsScore,
  type OnboardingInput,
  type OnboardingResult,
  verdictOf,
} from '../contract/index.js';
import { awaitsReview, type Decision, decide } from './decide.js';
import { earlierRequest, finishedElsewhere, mayFollowAnother, unlessReset, verification } from './earlier-requests.js';
import { activityRefusal, guarded } from './failures.js';
import { untilHintsAreChecked, whileHintsAreChecked } from './hints.js';
import { incode } from './incode.js';
import { handleMessages, refuseMessages } from './messages.js';
import { NEW_RUN, NewRunIsDue } from './new-run.js';
import { addEvent, applyStatus, carriedRecord, type SessionRecord } from './record.js';
import { Session } from './session.js';
import { withToken } from './tokens.js';
import { startedWith } from './unreadable.js';
import { publishOutcome, publishResult } from './visibility.js';
import { waitInStage } from './waits.js';

/**
 * One Incode session: wait until it can be finished, finish, close if asked, score if asked, wait for a person's verdict if
 * asked, outcome.
 *
 * @param carried what the run before this one knew; callers leave it out
 */
export async function onboardingSession(given: OnboardingInput, carried?: SessionRecord): Promise<OnboardingResult> {
  const input = acceptedInput(given);
  const record = carriedRecord(carried);
  const session = new Session(input, record);
  handleMessages(session);
  if (mayFollowAnother(input, record !== undefined)) session.record.earlierRequest = { lastSentAt: Date.now() };
  return new Onboarding(session).run();
}

function acceptedInput(given: OnboardingInput): OnboardingInput {
  try {
    return guarded(() => checkOnboardingInput(startedWith(given)));
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
          // Unless an update came in meanwhile, whose answer would be lost.
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
      // A caller who waits for the answer of an update gets it, also if the workflow fails or is cancelled.
      if (!allHandlersFinished()) await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
  }

  /** Every step is passed over if the run before has done it. */
  private async complete(): Promise<OnboardingResult> {
    const { plan, record } = this.session;
    if (record.answer === null) {
      if (await this.captured()) await this.finish();
      else record.answer = { finish: null };
    }
    const finish = record.answer?.finish ?? null;
    const isConfirmed = finish?.confirmedBy !== 'unconfirmed';
    if (finish && isConfirmed && plan.close && record.closed === null) await this.close();
    if (finish && needsScore(plan, finish) && record.score === null) await this.score();
    if (finish && plan.review === 'wait' && awaitsReview(this.decision(), finish, needsScore(plan, finish)))
      await this.review();
    // A person's verdict comes before everything else, so it must not be missed for having come just now.
    await untilHintsAreChecked(this.session, isVerdict);
    return this.conclude();
  }

  /** @returns whether the session is to be finished; otherwise it has expired */
  private async captured(): Promise<boolean> {
    const { session } = this;
    const { plan, record } = session;
    if (plan.finishWhen === 'now') return true;
    // Somebody else may have finished it: then there is nothing to wait for.
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

  private async finish(): Promise<void> {
    const { session } = this;
    const { record, input } = session;
    session.enter('finishing');
    const { flowId } = input;
    record.earlierRequest = earlierRequest(session);
    const call = () =>
      withToken(
        session,
        (access) => incode.finishStatus({ ...access, ...(flowId ? { flowId } : {}), ...verification(record) }),
        {
          onRefusal: ({ lastSentAt, accepted }) => {
            // The call that was refused may have been the second attempt of one that is still under way.
            record.earlierRequest = { lastSentAt: lastSentAt ?? null, ...(accepted ? { accepted } : {}) };
          },
          instead: () => finishedElsewhere(record),
        },
      );
    // With a token the call itself finds out.
    const decides = (hint: string) => record.token === null && (isFinished(hint) || isExpired(hint));
    const { finish, onboardingStatus, toBeConfirmed } = await whileHintsAreChecked(session, decides, call);
    if (toBeConfirmed) await this.confirm(finish);
    applyStatus(record, onboardingStatus, 'answer');
    addEvent(
      record,
      finish ? `Finished: action ${finish.action}, confirmed by ${finish.confirmedBy}` : 'Expired at Incode',
    );
    record.answer = { finish };
  }

  /** The answer is not taken for this session's before its status bears it out. */
  private async confirm(finish: FinishAnswer | null): Promise<void> {
    const { record, input } = this.session;
    addEvent(record, 'Incode has answered. Its status is to confirm that it was for this session');
    try {
      const token = record.token === null ? {} : { sessionToken: record.token };
      await incode.confirmFinish({ interviewId: input.interviewId, ...token, finish });
    } catch (error) {
      throw activityRefusal(error)?.failure ?? error;
    }
  }

  private async close(): Promise<void> {
    const { session } = this;
    const { record } = session;
    session.enter('closing');
    try {
      await withToken(session, (access) => incode.closeSession(access));
      record.closed = true;
      addEvent(record, 'Closed');
    } catch (error) {
      // The session is finished: its outcome must not be lost over this.
      if (!(error instanceof ApplicationFailure)) throw error;
      record.closed = false;
      addEvent(record, `Not closed: ${error.message}`);
    }
  }

  private async score(): Promise<void> {
    const { session } = this;
    const { record, plan } = session;
    session.enter('scoring', plan.scoreDeadlineMs);
    for (;;) {
      const { deadline } = record;
      const scope = new CancellationScope();
      session.boundByDeadline = scope;
      try {
        const answer = await scope.run(() =>
          withToken(session, (access) =>
            incode.score({ ...access, readyWithinMs: Math.max(0, (deadline ?? 0) - Date.now()) }),
          ),
        );
        record.score = { answer };
        addEvent(record, answer ? `Score: ${answer.status}` : 'No score within the score deadline');
        return;
      } catch (error) {
        const isMoved = isCancellation(error) && record.deadline !== deadline;
        if (!isMoved) throw error;
      } finally {
        session.boundByDeadline = null;
      }
    }
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
      ...(record.onboardingStatus === null ? {} : { confirmedBy: record.byWebhook ? 'webhook' : 'incode' }),
      reason,
    };
  }
}

function isVerdict(onboardingStatus: string | null): boolean {
  return verdictOf(onboardingStatus) !== undefined;
}

function isExpired(onboardingStatus: string | null): boolean {
  return milestoneOf(onboardingStatus) === 'expired';
}
