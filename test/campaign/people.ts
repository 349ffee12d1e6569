import { setTimeout as sleep } from 'node:timers/promises';
import {
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import {
  CAPTURE_QUERIES,
  CAPTURE_UPDATES,
  CAPTURE_WORKFLOW,
  type CaptureInput,
  type CapturePerson,
  type CaptureState,
  type CaptureWorkflow,
  captureWorkflowId,
  type ImageReference,
  type ImageSide,
  onboardingWorkflowId,
  TASK_QUEUE,
} from '../../src/contract/index.js';
import type { SessionView } from '../../src/testing/index.js';
import { Images } from './images.js';
import { newPersonRecord, type PersonRecord } from './people-record.js';
import { describe, operateActivity, resetActivity, resetWorkflow, type Sessions } from './sessions.js';
import type { PersonAction, PlannedPerson } from './types.js';
import { type CampaignWorld, CONFIGURATION_ID } from './world.js';

/** A caller that waits for longer learns nothing new. */
const DEADLINE_MS = 5_000;

/** Starts people, sends them the scheduled messages, changes their images, and records what they allow. */
export class People {
  readonly images: Images;
  readonly records = new Map<string, PersonRecord>();
  private readonly world: CampaignWorld;
  private readonly sessions: Sessions;

  constructor(world: CampaignWorld, sessions: Sessions) {
    this.world = world;
    this.sessions = sessions;
    this.images = new Images(world.images);
  }

  /** Makes the person's images and faults on the first call. @returns the person as a caller names it */
  open(person: PlannedPerson, by: PersonRecord['by']): CapturePerson {
    const record = this.records.get(person.reference) ?? this.make(person, by);
    const { reference, simulate, hasDigests } = person;
    const images = person.sides.map((side) => {
      const { uri, sha256 } = record.originals[side] as Required<ImageReference>;
      return [side, hasDigests ? { uri, sha256 } : { uri }];
    });
    return {
      reference,
      ...(Object.fromEntries(images) as Pick<CapturePerson, 'front'>),
      configurationId: CONFIGURATION_ID,
      customFields: { simulate },
    };
  }

  /** @returns the result in a word */
  async say(person: PlannedPerson, kind: PersonAction, choice: number): Promise<string> {
    const record = this.records.get(person.reference) ?? this.make(person, 'single');
    try {
      return (await this.perform(record, kind, choice)) ?? 'done';
    } catch (error) {
      if (!isTold(error)) record.problems.push(`${kind}: ${describe(error)}`);
      return describe(error);
    }
  }

  /** Hands in every image that the workflow waits for. */
  async helpWithImages({ person }: PersonRecord): Promise<string | null> {
    const { needs, stage } = await this.stateOf(person.reference);
    if (stage !== 'needsImage') return null;
    for (const side of needs) await this.replaceImage(person.reference, side);
    return `replaced ${needs.join(', ')}`;
  }

  handle(reference: string): WorkflowHandle<CaptureWorkflow> {
    return this.world.onboarding.temporal.workflow.getHandle<CaptureWorkflow>(captureWorkflowId(reference));
  }

  /** The sessions of a person at Incode, oldest first. */
  sessionsOf(reference: string): SessionView[] {
    const { simulator } = this.world;
    return simulator.sessions().filter(({ externalCustomerId }) => externalCustomerId?.startsWith(`${reference}~`));
  }

  private make(person: PlannedPerson, by: PersonRecord['by']): PersonRecord {
    const { reference, sides, faults, answer } = person;
    const originals = Object.fromEntries(
      sides.map((side) => [side, this.images.add({ reference, side, kind: 'original' })]),
    );
    const record = newPersonRecord(person, by, originals);
    this.records.set(reference, record);
    const { simulator } = this.world;
    for (const fault of faults) simulator.fault(fault);
    const byFront = { operation: 'addFrontId', ...shaOf(originals.front) } as const;
    const byBack = { operation: 'addBackId', ...shaOf(originals.back) } as const;
    const bySelfie = { operation: 'addFace', ...shaOf(originals.selfie) } as const;
    switch (answer) {
      case 'refusedFront':
        simulator.script({ ...byFront, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
        break;
      case 'refusedBack':
        if (originals.back) simulator.script({ ...byBack, answer: { failReason: 'WRONG_DOCUMENT_SIDE' } });
        break;
      case 'refusedSelfie':
        if (originals.selfie) simulator.script({ ...bySelfie, code: 4019 });
        break;
      case 'passport':
        simulator.script({ ...byFront, answer: { typeOfId: 'Passport', skipBackIdCapture: true } });
        break;
      case 'notProcessed':
        simulator.script({ operation: 'processId', externalCustomerId: reference, code: 6000, times: 1 });
        break;
    }
    return record;
  }

  private async perform(record: PersonRecord, kind: PersonAction, choice: number): Promise<string | undefined> {
    const { reference, sides } = record.person;
    const { onboarding, simulator } = this.world;
    const side = sides[Math.floor(choice * sides.length)] ?? 'front';
    const newest = this.sessionsOf(reference).at(-1);
    switch (kind) {
      case 'start':
      case 'startAgain':
        return this.start(record, 'REJECT_DUPLICATE');
      case 'restart':
        return this.start(record, 'ALLOW_DUPLICATE_FAILED_ONLY');
      case 'replaceImage':
        return this.replaceImage(reference, side);
      case 'repeatStarted':
        return this.repeatStarted(record, choice);
      case 'expireToken':
        if (newest) simulator.revokeTokens(newest.interviewId);
        return newest?.interviewId ?? 'no session';
      case 'askState':
        return (await this.stateOf(reference)).stage;
      case 'cancel':
        record.cancelled = true;
        await this.handle(reference).cancel();
        return;
      case 'terminate':
        record.terminated = true;
        await this.handle(reference).terminate('campaign');
        return;
      case 'endSession':
        if (!newest) return 'no session';
        return this.endSession(record, newest.interviewId, choice);
      case 'resetWorkflow':
        record.repeated = true;
        return resetWorkflow(this.world, captureWorkflowId(reference), choice);
      case 'resetActivity':
        record.operatedAt.push(Date.now());
        return resetActivity(this.world, captureWorkflowId(reference), { resetHeartbeat: choice < 0.5 });
      case 'pauseActivity':
      case 'unpauseActivity':
        record.operatedAt.push(Date.now());
        return operateActivity(onboarding, captureWorkflowId(reference), kind, PAUSABLE, choice);
      case 'loseImage':
      case 'changeImage':
      case 'truncateImage':
        return this.disturb(record, side, kind, choice);
      default:
        return kind satisfies never;
    }
  }

  /** Retries the start, like a caller, until the server has confirmed it. */
  private async start(
    record: PersonRecord,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE_FAILED_ONLY',
  ): Promise<string> {
    const { person } = record;
    const input: CaptureInput = { ...this.open(person, 'single'), plan: person.plan };
    for (;;) {
      try {
        await this.within(() =>
          this.world.onboarding.temporal.workflow.start<CaptureWorkflow>(CAPTURE_WORKFLOW, {
            workflowId: captureWorkflowId(person.reference),
            taskQueue: TASK_QUEUE,
            args: [input],
            workflowIdReusePolicy,
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
        );
        record.acknowledged = true;
        return 'started or attached';
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) record.acknowledged = true;
        if (!isAway(error) || this.sessions.isOver) throw error;
        await sleep(200);
      }
    }
  }

  private async replaceImage(reference: string, side: ImageSide): Promise<string> {
    const record = this.records.get(reference);
    const { uri } = this.images.add({ reference, side, kind: 'replaced' });
    // Recorded first, because the update may be accepted although its answer is lost.
    record?.replacements.push({ side, at: Date.now() });
    await this.within(() =>
      this.handle(reference).executeUpdate<void, [unknown]>(CAPTURE_UPDATES.replaceImage, {
        args: [{ side, image: { uri } }],
      }),
    );
    return `replaced ${side}`;
  }

  /** Repeats the webhook of any session of the person, as Incode does, even after minutes. */
  private async repeatStarted({ person, problems }: PersonRecord, choice: number): Promise<string> {
    const all = this.sessionsOf(person.reference);
    const session = all[Math.floor(choice * all.length)];
    if (!session) return 'no session';
    const { interviewId, externalCustomerId } = session;
    const { url, headers } = this.world.webhook;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        event_type: 'SESSION_STARTED',
        onboardingStatus: 'UNKNOWN',
        interviewId,
        externalCustomerId,
      }),
    }).catch(() => undefined);
    if (response && ![200, 503].includes(response.status)) problems.push(`a webhook was answered ${response.status}`);
    return String(response?.status ?? 'no connection');
  }

  private async endSession(record: PersonRecord, interviewId: string, choice: number): Promise<string> {
    const session = this.sessions.recordOf(interviewId);
    record.sessionEnded = true;
    if (choice < 0.5) {
      session.cancelled = true;
      await this.world.onboarding.cancel(interviewId);
      return 'cancelled';
    }
    session.terminated = true;
    await this.world.onboarding.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate('campaign');
    return 'terminated';
  }

  private async disturb(
    record: PersonRecord,
    side: ImageSide,
    kind: 'loseImage' | 'changeImage' | 'truncateImage',
    choice: number,
  ): Promise<string> {
    const image = { reference: record.person.reference, side };
    record.disturbed.push({ side, kind });
    this.images.disturb(image, kind === 'loseImage' ? 'lose' : kind === 'changeImage' ? 'change' : 'truncate');
    await sleep(200 + choice * 2_500);
    this.images.restore(image);
    return `${side}, restored`;
  }

  private stateOf(reference: string): Promise<CaptureState> {
    return this.within(() => this.handle(reference).query<CaptureState>(CAPTURE_QUERIES.state));
  }

  private within<T>(call: () => Promise<T>): Promise<T> {
    return this.world.onboarding.temporal.withDeadline(Date.now() + DEADLINE_MS, call);
  }
}

const PAUSABLE: readonly [string, ...string[]] = [
  'openSession',
  'uploadFront',
  'uploadBack',
  'processId',
  'uploadSelfie',
];

function shaOf(image: Required<ImageReference> | undefined): { sha256?: string } {
  return image ? { sha256: image.sha256 } : {};
}

/** The server is away or busy. Some methods of Temporal's client wrap the error. */
function isAway(error: unknown): boolean {
  return isGrpcServiceError(error) || (error instanceof Error && isGrpcServiceError(error.cause));
}

/** Callers use Temporal's own client, whose errors are documented by Temporal. */
function isTold(error: unknown): boolean {
  return (
    isAway(error) ||
    error instanceof WorkflowNotFoundError ||
    error instanceof WorkflowExecutionAlreadyStartedError ||
    error instanceof WorkflowUpdateFailedError ||
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError ||
    ['QueryRejectedError', 'QueryNotRegisteredError', ...SESSION_ERRORS].includes((error as Error).name)
  );
}

/** Of `cancel` of a session. */
const SESSION_ERRORS = ['SessionEndedError', 'SessionNotFoundError', 'TemporalUnavailableError'];
