import {
  CAPTURE_UPDATES,
  type CaptureInput,
  type CaptureStage,
  type CaptureState,
  capturePlanWithDefaults,
  type ImageReference,
  type ImageSide,
  type ResolvedCapturePlan,
  resolveCapturePlan,
  type UnusableImage,
} from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { addEvent } from '../record.js';
import { suspectedOrphans } from './opening.js';
import { type CaptureRecord, newCaptureRecord } from './record.js';
import { publishCapture } from './visibility.js';

/** One person: the durable record, and the plan. */
export class Person {
  readonly input: CaptureInput;
  readonly plan: ResolvedCapturePlan;
  readonly record: CaptureRecord;
  /** The newest image of each side that was handed in and is being read. A new run is not due meanwhile. */
  readonly reading: Partial<Record<ImageSide, ImageReference>> = {};

  /** @param record of the previous run, if this run continues it */
  constructor(input: CaptureInput, record: CaptureRecord | undefined) {
    this.input = input;
    this.plan = resolveCapturePlan(input.plan);
    this.record = record ?? newCaptureRecord(input);
  }

  /** @param lastsMs maximum duration of the stage; a stage that a previous run entered keeps its deadline */
  enter(stage: CaptureRecord['stage'], lastsMs?: number): void {
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
    publishCapture(this.state());
  }

  get stage(): CaptureStage {
    return this.needsToken ? 'needsToken' : this.record.stage;
  }

  /** Whether Incode has refused a fresh token, too, so that the workflow waits before it asks for another one. */
  get needsToken(): boolean {
    const { refusedTokens, stage } = this.record;
    return refusedTokens !== undefined && refusedTokens.count > 1 && stage !== 'done';
  }

  /** When the person fails if Incode has accepted no token, in ms since the epoch. `null` if it refuses none. */
  get tokenDeadline(): number | null {
    const { refusedTokens } = this.record;
    return refusedTokens ? refusedTokens.since + this.plan.imageDeadlineMs : null;
  }

  get orphans(): CaptureState['suspectedOrphans'] {
    const { earlierSessions = [] } = this.input;
    return [...earlierSessions, ...suspectedOrphans(this.record.attempts, this.record.session)];
  }

  state(): CaptureState {
    const { needs, session, results, onboarding, timeline } = this.record;
    const deadline = this.needsToken ? this.tokenDeadline : this.record.deadline;
    return {
      reference: this.input.reference,
      stage: this.stage,
      waitingFor: this.waitingFor(),
      needs,
      ...omitUndefined({ unusableImage: this.unusableImage() }),
      deadline: deadline === null ? null : new Date(deadline).toISOString(),
      interviewId: session?.interviewId ?? null,
      images: results,
      suspectedOrphans: this.orphans,
      outcome: onboarding?.outcome ?? null,
      plan: capturePlanWithDefaults(this.input.plan),
      timeline,
    };
  }

  private unusableImage(): UnusableImage | undefined {
    const { unusable, needs, images } = this.record;
    if (unusable === null || !needs.includes(unusable.side)) return undefined;
    const { side, problem, message } = unusable;
    return { side, uri: withoutCredentials(images[side]?.uri ?? ''), problem, reason: message };
  }

  private waitingFor(): string | null {
    const { needs, refusedTokens } = this.record;
    if (this.needsToken) return `a session token that Incode accepts: it has refused ${refusedTokens?.count} in a row`;
    const missing = needs.filter((side) => this.reading[side] === undefined);
    if (missing.length > 0) return `another image: ${missing.join(', ')} (update ${CAPTURE_UPDATES.replaceImage})`;
    return needs.length > 0 ? `a worker to read the image that was handed in: ${needs.join(', ')}` : null;
  }
}

/** Inputs have neither a query nor a login. This holds for those of earlier versions too. */
function withoutCredentials(uri: string): string {
  return uri.replace(/[?#].*$/, '').replace(/^([^:]+:\/\/)[^/]*@/, '$1');
}
