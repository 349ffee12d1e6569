import type { CancellationScope } from '@temporalio/workflow';
import { planWithDefaults, type ResolvedPlan, resolvePlan } from '../contract/guards.js';
import { type OnboardingInput, type OnboardingState, type Stage, UPDATES } from '../contract/index.js';
import { addEvent, newRecord, type SessionRecord } from './record.js';
import { publishDetails, publishStage } from './visibility.js';

/** One session: its durable record, and what this run is currently doing. */
export class Session {
  readonly input: OnboardingInput;
  readonly plan: ResolvedPlan;
  readonly record: SessionRecord;
  /** Why somebody has to provide a token. `null` if nobody has to. */
  tokenNeeded: string | null = null;
  /** The call that has to restart when its deadline is moved. */
  boundByDeadline: CancellationScope | null = null;
  /** The request to the token source. It is cancelled when somebody provides a token. */
  askingTokenSource: CancellationScope | null = null;
  /** Number of `finish` updates that wait for the answer. */
  waitingFinishes = 0;
  /** Why the workflow fails. Updates that wait for the answer fail with it. */
  failure: unknown;

  /** @param record of the previous run, if this run continues it */
  constructor(input: OnboardingInput, record: SessionRecord | undefined) {
    this.input = input;
    this.plan = resolvePlan(input.plan);
    this.record = record ?? newRecord(input, this.plan);
  }

  get stage(): Stage {
    return this.tokenNeeded === null ? this.record.stage : 'needsToken';
  }

  /** @param lastsMs maximum duration of the stage; a stage that a previous run entered keeps its deadline */
  enter(stage: SessionRecord['stage'], lastsMs?: number): void {
    const { record } = this;
    if (record.stage !== stage) {
      addEvent(record, `Stage: ${stage}`);
      record.stage = stage;
      record.deadline = lastsMs === undefined ? null : Date.now() + lastsMs;
    }
    this.publish();
  }

  /** Updates the Web UI, and `list` for long stages. */
  publish(): void {
    publishDetails(this.state());
    publishStage(this.stage);
  }

  state(): OnboardingState {
    const { record, stage } = this;
    const { deadline, answer, score, onboardingStatus, outcome, timeline } = record;
    return {
      interviewId: this.input.interviewId,
      stage,
      waitingFor: this.waitingFor(),
      deadline: deadline === null ? null : new Date(deadline).toISOString(),
      finish: answer?.finish ?? null,
      score: score?.answer ?? null,
      onboardingStatus,
      outcome,
      plan: planWithDefaults(this.input.plan),
      timeline,
    };
  }

  private waitingFor(): string | null {
    if (this.tokenNeeded !== null) return `a session token, by the update ${UPDATES.renewToken}: ${this.tokenNeeded}`;
    switch (this.record.stage) {
      case 'waiting':
        return this.plan.finishWhen === 'asked'
          ? `someone to finish it (update ${UPDATES.finish})`
          : "the person to be captured, and Incode's post-processing";
      case 'inReview':
        return "a person's verdict at Incode";
      default:
        return null;
    }
  }
}
