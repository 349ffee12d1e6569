import type { CancellationScope } from '@temporalio/workflow';
import {
  type OnboardingInput,
  type OnboardingState,
  planWithDefaults,
  type ResolvedPlan,
  resolvePlan,
  type Stage,
  UPDATES,
} from '../contract/index.js';
import { addEvent, newRecord, type SessionRecord } from './record.js';
import { publishDetails, publishStage } from './visibility.js';

/** One session on its way: what is known of it, and what this run is busy with. */
export class Session {
  readonly input: OnboardingInput;
  readonly plan: ResolvedPlan;
  readonly record: SessionRecord;
  /** Why a token has to be handed in; `null` if none has to. */
  tokenNeeded: string | null = null;
  /** The call that has to start anew if its deadline is moved. */
  boundByDeadline: CancellationScope | null = null;
  /** The question to the token source that is moot once somebody hands a token in. */
  askingTokenSource: CancellationScope | null = null;
  /** Updates `finish` of this run that wait for the answer. */
  waitingFinishes = 0;
  /** Why the workflow fails; an update that waits for an answer fails with it. */
  failure: unknown;

  /** @param record of the run before, if this one continues it */
  constructor(input: OnboardingInput, record: SessionRecord | undefined) {
    this.input = input;
    this.plan = resolvePlan(input.plan);
    this.record = record ?? newRecord(input, this.plan);
  }

  get stage(): Stage {
    return this.tokenNeeded === null ? this.record.stage : 'needsToken';
  }

  /** @param lastsMs how long the stage may last; one that was entered already, also by the run before, keeps its deadline */
  enter(stage: SessionRecord['stage'], lastsMs?: number): void {
    const { record } = this;
    if (record.stage !== stage) {
      addEvent(record, `Stage: ${stage}`);
      record.stage = stage;
      record.deadline = lastsMs === undefined ? null : Date.now() + lastsMs;
    }
    this.publish();
  }

  /** Tells the Web UI, and `list` if the stage may last. */
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
          ? `the update ${UPDATES.finish}`
          : "the person to be captured, and Incode's post-processing";
      case 'inReview':
        return "a person's verdict at Incode";
      default:
        return null;
    }
  }
}
