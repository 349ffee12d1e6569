import {
  CAPTURE_UPDATES,
  type CaptureInput,
  type CaptureStage,
  type CaptureState,
  capturePlanWithDefaults,
  type ResolvedCapturePlan,
  resolveCapturePlan,
} from '../../contract/index.js';
import { addEvent } from '../record.js';
import { suspectedOrphans } from './opening.js';
import { type CaptureRecord, newCaptureRecord } from './record.js';
import { publishCapture } from './visibility.js';

/** One person: the durable record, and the plan. */
export class Person {
  readonly input: CaptureInput;
  readonly plan: ResolvedCapturePlan;
  readonly record: CaptureRecord;

  /** @param record of the previous run, if this run continues it */
  constructor(input: CaptureInput, record: CaptureRecord | undefined) {
    this.input = input;
    this.plan = resolveCapturePlan(input.plan);
    this.record = record ?? newCaptureRecord(input);
  }

  /** @param lastsMs maximum duration of the stage; a stage that a previous run entered keeps its deadline */
  enter(stage: CaptureStage, lastsMs?: number): void {
    const { record } = this;
    if (record.stage !== stage) {
      addEvent(record, `Stage: ${stage}`);
      record.stage = stage;
      record.deadline = lastsMs === undefined ? null : Date.now() + lastsMs;
    }
    publishCapture(this.state());
  }

  get orphans(): CaptureState['suspectedOrphans'] {
    return suspectedOrphans(this.record.attempts, this.record.session);
  }

  state(): CaptureState {
    const { stage, deadline, needs, session, results, onboarding, timeline } = this.record;
    return {
      reference: this.input.reference,
      stage,
      waitingFor:
        needs.length === 0 ? null : `another image: ${needs.join(', ')} (update ${CAPTURE_UPDATES.replaceImage})`,
      needs,
      deadline: deadline === null ? null : new Date(deadline).toISOString(),
      interviewId: session?.interviewId ?? null,
      images: results,
      suspectedOrphans: this.orphans,
      outcome: onboarding?.outcome ?? null,
      plan: capturePlanWithDefaults(this.input.plan),
      timeline,
    };
  }
}
