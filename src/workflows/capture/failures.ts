import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  patched,
} from '@temporalio/workflow';
import type { CaptureActivities, CaptureFailureDetails } from '../../activities/capture/types.js';
import { FAILURES, type FailureType, type ImageSide } from '../../contract/index.js';
import { activityRefusal } from '../failures.js';
import { isRefused, reasonOf } from './decisions.js';
import type { Person } from './person.js';
import type { UnusableImageRecord } from './record.js';

/** What a failure of a person carries, so that nobody has to search for the session. Never a secret, and nothing of an image. */
export function factsOf({ input, record, orphans }: Person) {
  return {
    reference: input.reference,
    interviewId: record.session?.interviewId ?? null,
    images: record.results,
    face: record.face,
    government: record.government,
    watchlist: record.watchlist,
    suspectedOrphans: orphans,
  };
}

/** @param sides the refused image, or all images of a document that Incode cannot process with them */
export function imageRefused(person: Person, sides: ImageSide[]): ApplicationFailure {
  const { input, record } = person;
  const side = sides.find((one) => isRefused(record.results[one])) ?? (sides[0] as ImageSide);
  const result = record.results[side];
  const why =
    result && isRefused(result)
      ? `Incode refused the image of the ${side}: ${reasonOf(result)}`
      : `Incode refused none of the images, but cannot process the document with them: ${sides.join(' and ')}`;
  return ApplicationFailure.create({
    type: FAILURES.imageRefused,
    message: `Person ${input.reference}: ${why}`,
    nonRetryable: true,
    details: [{ ...factsOf(person), side, failReason: result?.failReason ?? null, code: result?.code ?? null }],
  });
}

export function imageUnusable(person: Person, { side, message, problem }: UnusableImageRecord): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.imageUnusable,
    message,
    nonRetryable: true,
    details: [{ ...factsOf(person), side, problem }],
  });
}

/** Refuses an update. The person goes on waiting for another image. */
export function replacementUnusable(
  { input }: Person,
  { side, message, problem }: UnusableImageRecord,
): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.imageUnusable,
    message,
    nonRetryable: true,
    details: [{ reference: input.reference, side, problem }],
  });
}

/** Refuses an update, because the workflow does not wait for this image. */
export function noLongerNeeded(person: Person, side: ImageSide): ApplicationFailure {
  const { stage } = person;
  return wrongStage(person, ` is in the stage ${stage}: the workflow does not wait for another image of the ${side}`);
}

/** Refuses an update, because another one has handed in an image of this side meanwhile. */
export function newerHandedIn(person: Person, side: ImageSide): ApplicationFailure {
  return wrongStage(person, `: a newer image of the ${side} was handed in before a worker had read this one`);
}

function wrongStage({ input: { reference }, stage }: Person, why: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.wrongStage,
    message: `Person ${reference}${why}`,
    nonRetryable: true,
    details: [{ reference, stage }],
  });
}

/** A failure with what is known of the person. Anything but the failure of an activity or of the session is passed on, such as a cancellation. */
export function withFacts(error: unknown, person: Person): unknown {
  const failure = causeOf(error) ?? endOfSession(error, person);
  if (failure === undefined) return error;
  const [details] = failure.details ?? [];
  return ApplicationFailure.create({
    type: failure.type ?? 'Error',
    message: failure.message,
    nonRetryable: true,
    details: [{ ...(details as object | undefined), ...factsOf(person) }],
  });
}

function causeOf(error: unknown): ApplicationFailure | undefined {
  const isWrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  return isWrapped && error.cause instanceof ApplicationFailure ? error.cause : undefined;
}

/** The names in rows of lists, too. */
const ENDS: Record<string, [type: string, end: string]> = {
  CancelledFailure: ['Cancelled', 'was cancelled'],
  TerminatedFailure: ['Terminated', 'was terminated'],
  TimeoutFailure: ['TimedOut', 'timed out'],
};

/** Somebody has ended the workflow of the session, while the person's own goes on. */
function endOfSession(error: unknown, { input, record }: Person): ApplicationFailure | undefined {
  if (!(error instanceof ChildWorkflowFailure) || CancellationScope.current().consideredCancelled) return undefined;
  const [type, what] = ENDS[error.cause?.name ?? ''] ?? [];
  if (type === undefined) return undefined;
  const message = `Person ${input.reference}: the workflow of session ${record.session?.interviewId} ${what}`;
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}

/** @returns `undefined` if an activity failed for another reason */
export function unusableImageOf(error: unknown): UnusableImageRecord | undefined {
  const failure = activityRefusal(error)?.failure;
  if (failure?.type !== FAILURES.imageUnusable) return undefined;
  const [details] = failure.details ?? [];
  const { image, problem = null } = details as CaptureFailureDetails;
  return { side: image as ImageSide, message: failure.message, problem };
}

/** Whether an activity has failed for good with one of these types. */
export function failedWith(error: unknown, ...types: FailureType[]): boolean {
  const type = activityRefusal(error)?.failure.type;
  return types.some((known) => known === type);
}

/** Marks in a history that the person fails if Incode refuses to renew the session token. Earlier versions took this for a refusal of the call. */
const RENEWAL_FAILS = 'refused-renewal-fails';

/** Whether Incode has refused this call for good. A refusal to renew the session token for the call says nothing about the call. */
export function hasRefused(error: unknown, call: keyof CaptureActivities): boolean {
  if (!failedWith(error, FAILURES.badRequest)) return false;
  return (error as ActivityFailure).activityType === call || !patched(RENEWAL_FAILS);
}
