import { type BatchId, type Count, checkBatchId, MAX_SHARD_BYTES } from './batch.js';
import { jsonBytes } from './batch-size.js';
import { type CapturePerson, checkCapturePerson, type ImageDigests, type ImageSide } from './capture.js';
import { resolveCapturePlan } from './capture-guards.js';
import type { CapturePlan } from './capture-plan.js';
import type { FaceResult, GovernmentResult, SuspectedOrphan, WatchlistResult } from './capture-workflow.js';
import { asObject, boolean, InvalidInputError, omitAbsent, onlyKeys } from './guards.js';
import type { InterviewId, Outcome, ScoreAnswer } from './types.js';

/** Workflow type that onboards one shard of a list of people. Its task queue is {@link TASK_QUEUE}. Messages are those of `onboardingBatch`. */
export const CAPTURE_BATCH_WORKFLOW = 'captureBatch';

/** Each shard has one workflow id, so running a batch again attaches to its shards. */
export function captureBatchWorkflowId(batchId: string, shard: number): string {
  return `incode-capture-batch/${batchId}/${shard}`;
}

/** Maximum number of people in a shard. The history has about nine events for each, and a run should stay below Temporal's 4,000. */
export const MAX_SHARD_PEOPLE = 200;

/** Input of `captureBatch`. */
export interface CaptureBatchInput {
  batchId: BatchId;
  /** Number of the shard within the batch, from 0. */
  shard: Count;
  /**
   * At most 200 people and 1 MB as JSON. No reference may occur twice.
   *
   * @minItems 1
   * @maxItems 200
   */
  people: CapturePerson[];
  /** All people share it. Each missing part has its default. */
  plan?: CapturePlan;
  /**
   * Whether to start people again whose `captureOnboarding` has failed or was cancelled before. Otherwise that failure is their result.
   *
   * @default false
   */
  retryFailed?: boolean;
  /** Rows of an earlier run, in the order of the people. A person whose row is `null` is onboarded. */
  earlier?: (CaptureRow | null)[];
}

/** The result of one person. Empty parts are left out. */
export interface CaptureRow {
  /** The session that was used. Missing if none was opened, or it is unknown. */
  interviewId?: InterviewId;
  /** How the onboarding ended. Missing if the person failed. */
  outcome?: Outcome;
  /** One sentence for people that says what decided the outcome. */
  reason?: string;
  /** Missing if the plan has no score, or the score was not ready in time. */
  score?: ScoreAnswer;
  /**
   * Incode's answer about each uploaded image: `accepted`, `doubtful` or `refused`, then Incode's reason, its code and the checks that the
   * image fails, such as `refused DOCUMENT_NOT_READABLE readability`.
   */
  images?: Partial<Record<ImageSide, string>>;
  /** Which images the outcome is about. Missing if the person failed. */
  digests?: ImageDigests;
  /** Images that could not be read when the list was run again. It is unknown whether the outcome is about them. Missing for none. */
  notCompared?: ImageSide[];
  /** Incode's answer about the face. Missing without a selfie. */
  face?: FaceResult;
  /** The answer of the government's registry. Missing if it was not asked. */
  government?: GovernmentResult;
  /** The answer of the watchlists. Missing if they were not searched. */
  watchlist?: WatchlistResult;
  /** Sessions that may have been opened for this person and are not used. At most 5. */
  suspectedOrphans?: SuspectedOrphan[];
  /** How many more there are. The person's own workflow names all. Missing for none. */
  moreSuspectedOrphans?: Count;
  /** What was deleted at Incode. Missing if nothing was. */
  purged?: 'images' | 'session';
  /** Why nothing was deleted, although the plan says so. */
  notPurged?: string;
  /** Why the person failed. `type` is one of `FAILURES`, or `Cancelled`, `Terminated` or `TimedOut`. */
  failure?: { type: string; message: string };
}

/** Result of `captureBatch`. */
export interface CaptureBatchResult {
  batchId: BatchId;
  shard: Count;
  /** One for each person, in the order of the input. */
  rows: CaptureRow[];
}

/** The workflow `captureBatch`, for typed handles. */
export type CaptureBatchWorkflow = (input: CaptureBatchInput) => Promise<CaptureBatchResult>;

/** Checks the input of a shard. @throws InvalidInputError naming the field, such as `people[3].front.uri` */
export function checkCaptureBatchInput(value: unknown): CaptureBatchInput {
  const input = omitAbsent(asObject('input', value));
  onlyKeys('input', input, ['batchId', 'shard', 'people', 'plan', 'retryFailed', 'earlier']);
  checkBatchId(input.batchId);
  if (!Number.isSafeInteger(input.shard) || Number(input.shard) < 0) {
    throw new InvalidInputError('shard', 'must be a whole number from 0');
  }
  const { people, earlier } = input;
  if (!Array.isArray(people) || people.length === 0 || people.length > MAX_SHARD_PEOPLE) {
    throw new InvalidInputError('people', `must be a list of 1 to ${MAX_SHARD_PEOPLE} people`);
  }
  const checked = checkPeople(people);
  if (earlier !== undefined && !(Array.isArray(earlier) && earlier.length === people.length)) {
    throw new InvalidInputError('earlier', 'must have a row for each person');
  }
  resolveCapturePlan(input.plan);
  if (input.retryFailed !== undefined) boolean('retryFailed', input.retryFailed);
  return { ...(input as unknown as CaptureBatchInput), people: checked };
}

function checkPeople(people: unknown[]): CapturePerson[] {
  const seen = new Map<string, number>();
  const checked = people.map((value, index) => {
    const person = checkCapturePerson(value, `people[${index}]`);
    const first = seen.get(person.reference);
    if (first !== undefined) {
      throw new InvalidInputError(`people[${index}].reference`, `is the same as that of people[${first}]`);
    }
    seen.set(person.reference, index);
    return person;
  });
  if (jsonBytes(checked) > MAX_SHARD_BYTES) {
    throw new InvalidInputError('people', `must have at most ${MAX_SHARD_BYTES.toLocaleString('en-US')} bytes as JSON`);
  }
  return checked;
}
