import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineQuery,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { FinishStatusInput, IncodeActivities, SessionInput } from '../activities/types.js';
import {
  checkOnboardingInput,
  checkRenewTokenInput,
  FAILURES,
  type FinishAnswer,
  type OnboardingInput,
  type OnboardingResult,
  type OnboardingState,
  onboardingWorkflowId,
  QUERIES,
  type RenewTokenInput,
  type ResolvedPlan,
  resolvePlan,
  UPDATES,
} from '../contract/index.js';
import { decide, needsScore } from './decide.js';
import { type ActivityRefusal, activityRefusal, guarded, withFinish } from './failures.js';
import { ACTIVITY_OPTIONS } from './options.js';
import { publishOutcome, publishStage, publishWait } from './visibility.js';

const incode = proxyActivities<IncodeActivities>(ACTIVITY_OPTIONS);

const finishUpdate = defineUpdate<FinishAnswer | null>(UPDATES.finish);
const renewTokenUpdate = defineUpdate<void, [RenewTokenInput]>(UPDATES.renewToken);
const stateQuery = defineQuery<OnboardingState>(QUERIES.state);

/** Completes one Incode session: finish, close if asked, score if asked, outcome. */
export async function onboardingSession(given: OnboardingInput): Promise<OnboardingResult> {
  return new Onboarding(acceptedInput(given)).run();
}

/** An update that comes together with a bad input is refused with its reason, rather than with "workflow completed". */
function acceptedInput(given: OnboardingInput): OnboardingInput {
  try {
    return guarded(() => checkOnboardingInput(given));
  } catch (error) {
    const refuse = (): void => {
      throw error;
    };
    setHandler(finishUpdate, () => null, { validator: refuse });
    setHandler(renewTokenUpdate, (_given: RenewTokenInput) => undefined, {
      validator: (_given: RenewTokenInput) => refuse(),
    });
    throw error;
  }
}

class Onboarding {
  private readonly input: OnboardingInput;
  private readonly plan: ResolvedPlan;
  private readonly state: OnboardingState;
  private token: string | undefined;
  /** A token of the source that no call has accepted yet: if it is refused, asking for another would go round in circles. */
  private tokenIsUnproven = false;
  private reissue: CancellationScope | undefined;
  /** `undefined` until Incode has answered; `null` if the session had expired. */
  private answer: FinishAnswer | null | undefined;
  private failure: unknown;

  constructor(input: OnboardingInput) {
    this.input = input;
    this.plan = resolvePlan(input.plan);
    this.token = input.sessionToken ?? undefined;
    this.state = {
      interviewId: input.interviewId,
      stage: 'finishing',
      waitingFor: null,
      finish: null,
      score: null,
      onboardingStatus: null,
      outcome: null,
    };
    setHandler(finishUpdate, () => this.finishAnswer());
    setHandler(renewTokenUpdate, (given) => this.renewToken(given), {
      validator: (given) => void guarded(() => checkRenewTokenInput(given)),
    });
    setHandler(stateQuery, () => this.state);
  }

  async run(): Promise<OnboardingResult> {
    try {
      await this.finish();
      if (this.answer && this.plan.close) await this.close();
      if (this.answer && needsScore(this.plan, this.answer)) await this.score();
      return this.conclude();
    } catch (error) {
      this.failure = withFinish(error, this.answer);
      throw this.failure;
    } finally {
      // A caller who waits for the answer of an update gets it, also if the workflow fails or is cancelled.
      if (!allHandlersFinished()) await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
    }
  }

  private async finish(): Promise<void> {
    this.enter('finishing');
    const { flowId } = this.input;
    let history = earlierRequests(this.input);
    const { finish, onboardingStatus } = await this.withToken(
      (session) => incode.finishStatus({ ...session, ...(flowId ? { flowId } : {}), ...history }),
      ({ lastSentAt }) => {
        // The call that was refused may have been the second attempt of one that is still under way.
        history = { verifyFirst: true, ...(lastSentAt === undefined ? {} : { lastSentAt }) };
      },
    );
    this.state.onboardingStatus = onboardingStatus;
    this.state.finish = finish;
    this.answer = finish;
  }

  private async close(): Promise<void> {
    this.enter('closing');
    await this.withToken((session) => incode.closeSession(session));
  }

  private async score(): Promise<void> {
    this.enter('scoring');
    const { scoreDeadlineMs } = this.plan;
    this.state.score = await this.withToken((session) => incode.score({ ...session, readyWithinMs: scoreDeadlineMs }));
  }

  private conclude(): OnboardingResult {
    const { interviewId, finish, score, onboardingStatus } = this.state;
    const asked = finish !== null && needsScore(this.plan, finish);
    const { outcome, reason } = decide({ finish, score: asked ? score : undefined, onboardingStatus });
    this.state.stage = 'done';
    this.state.outcome = outcome;
    publishOutcome(outcome, reason);
    return { interviewId, outcome, finish, score, onboardingStatus, reason };
  }

  /** Calls Incode with a token, as often as it takes to have one that Incode accepts. */
  private async withToken<T>(
    call: (session: SessionInput) => Promise<T>,
    onRefusal?: (refusal: ActivityRefusal) => void,
  ): Promise<T> {
    for (;;) {
      const sessionToken = this.token ?? (await this.nextToken());
      try {
        const result = await call({ interviewId: this.input.interviewId, sessionToken });
        this.tokenIsUnproven = false;
        return result;
      } catch (error) {
        const refusal = activityRefusal(error);
        if (refusal?.failure.type !== FAILURES.tokenRefused) throw refusal?.failure ?? error;
        // Unless somebody has renewed it while the call was under way.
        if (this.token === sessionToken) this.token = undefined;
        onRefusal?.(refusal);
      }
    }
  }

  /** A token from the worker's token source or, if that has none that works, from `renewToken`. */
  private async nextToken(): Promise<string> {
    const why = this.tokenIsUnproven
      ? 'Incode refused the token of the token source as well'
      : await this.askTokenSource();
    if (this.token === undefined) await this.waitForToken(why);
    return this.token as unknown as string;
  }

  /** @returns why there is none, for people, in case there is none */
  private async askTokenSource(): Promise<string> {
    const refused =
      this.input.sessionToken === undefined ? 'the session has no token' : 'Incode refused the session token';
    this.reissue = new CancellationScope();
    try {
      const { sessionToken } = await this.reissue.run(() =>
        incode.reissueToken({ interviewId: this.input.interviewId }),
      );
      if (sessionToken === null) return refused;
      this.tokenIsUnproven = true;
      this.token ??= sessionToken;
      return '';
    } catch (error) {
      if (isCancellation(error) && this.token !== undefined) return '';
      const refusal = activityRefusal(error);
      if (!refusal) throw error;
      // Not the end of the session: a person can still hand a token in.
      return `${refused}, and the token source failed: ${refusal.failure.message}`;
    } finally {
      this.reissue = undefined;
    }
  }

  private async waitForToken(why: string): Promise<void> {
    const { stage } = this.state;
    this.state.stage = 'needsToken';
    this.state.waitingFor = `a session token, by the update ${UPDATES.renewToken}: ${why}`;
    publishWait('needsToken', this.state.waitingFor);
    await condition(() => this.token !== undefined);
    this.state.stage = stage;
    this.state.waitingFor = null;
    publishWait(stage, 'A new token was handed in.');
  }

  private renewToken(given: RenewTokenInput): void {
    this.token = given.sessionToken;
    this.tokenIsUnproven = false;
    this.reissue?.cancel();
  }

  private async finishAnswer(): Promise<FinishAnswer | null> {
    await condition(() => this.answer !== undefined || this.failure !== undefined);
    if (this.answer !== undefined) return this.answer;
    throw this.failure;
  }

  private enter(stage: OnboardingState['stage']): void {
    this.state.stage = stage;
    publishStage(stage);
  }
}

/** What is known, when the workflow begins, of requests that other runs or workflows may have sent for this session. */
function earlierRequests({
  interviewId,
  verifyFirst,
}: OnboardingInput): Pick<FinishStatusInput, 'verifyFirst' | 'lastSentAt'> {
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  // A reset, a workflow retry or a new start after a termination: a request may have been under way until just now.
  if (verifyFirst || runId !== firstExecutionRunId) return { verifyFirst: true, lastSentAt: Date.now() };
  // Under an id of its own nothing keeps a second workflow from completing the same session.
  return workflowId === onboardingWorkflowId(interviewId) ? {} : { verifyFirst: true };
}
