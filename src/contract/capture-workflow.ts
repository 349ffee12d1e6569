import type { CapturePerson, CaptureReference, ImageDigests, ImageReference, ImageSide } from './capture.js';
import type { CapturePlan } from './capture-plan.js';
import type { InterviewId, OnboardingResult, Outcome, TimelineEntry } from './types.js';

/** Workflow type that opens a session for one person, fills it with images and completes it. Its task queue is {@link TASK_QUEUE}. */
export const CAPTURE_WORKFLOW = 'captureOnboarding';

export const CAPTURE_UPDATES = { replaceImage: 'replaceImage' } as const;
export const CAPTURE_SIGNALS = { sessionStarted: 'sessionStarted' } as const;
export const CAPTURE_QUERIES = { state: 'state' } as const;

/** Each person has one workflow id, so a second start attaches instead of opening another session. */
export function captureWorkflowId(reference: string): string {
  return `incode-capture/${reference}`;
}

/**
 * Task queue of the uploads and the processing of documents. Its rate limit is Incode's for documents. Sessions are opened here too: a
 * session takes the turn of its first front, so that it is opened only when its front can be uploaded.
 */
export function documentTaskQueue(taskQueue: string): string {
  return `${taskQueue}-documents`;
}

/** Task queue of the first front of each session, whose turn has come already. */
export function frontTaskQueue(taskQueue: string): string {
  return `${taskQueue}-fronts`;
}

/** Task queue of the uploads of selfies and the comparison of faces. Its rate limit is Incode's for faces. */
export function faceTaskQueue(taskQueue: string): string {
  return `${taskQueue}-faces`;
}

// If Incode limits each endpoint separately, these endpoints have task queues of their own. The task queues above then belong to the front
// and to the selfie alone.

export function backTaskQueue(taskQueue: string): string {
  return `${taskQueue}-backs`;
}

export function processIdTaskQueue(taskQueue: string): string {
  return `${taskQueue}-process-id`;
}

export function processFaceTaskQueue(taskQueue: string): string {
  return `${taskQueue}-process-face`;
}

/**
 * Each attempt to open a session has its own id, because only this id tells in a webhook which request opened the session.
 *
 * @returns Incode's `externalCustomerId`
 */
export function externalCustomerIdOf(reference: string, attempt: string): string {
  return `${reference}~${attempt}`;
}

/** The reference in an `externalCustomerId`. @returns `undefined` if this package did not make the id */
export function referenceOf(externalCustomerId: string): string | undefined {
  return /^(.+)~[0-9a-f]{12}$/.exec(externalCustomerId)?.[1];
}

/** Input of `captureOnboarding`: a person with their images, and what to do with them. */
export interface CaptureInput extends CapturePerson {
  /** Each missing part has its default. */
  plan?: CapturePlan;
  /**
   * Sessions that earlier runs under this reference have opened or may have opened. The result names them in `suspectedOrphans`. The client
   * and lists set it when they start a failed person again.
   *
   * @maxItems 20
   */
  earlierSessions?: SuspectedOrphan[];
}

/** All stages, in their usual order. */
export const CAPTURE_STAGES = [
  'pinning',
  'starting',
  'findingSession',
  'front',
  'back',
  'processingId',
  'selfie',
  'matchingFace',
  'government',
  'watchlist',
  'needsImage',
  'needsToken',
  'completing',
  'purging',
  'done',
] as const;

/**
 * Where a person is now:
 * - `pinning`: the worker reads the images for the first time;
 * - `starting`: it opens a session at Incode;
 * - `findingSession`: the answer to that was lost, so the workflow waits for the webhook that names the session;
 * - `front`, `back`, `selfie`: the worker uploads this image;
 * - `processingId`: Incode processes the document;
 * - `matchingFace`, `government`, `watchlist`: Incode compares the faces, or asks registries and watchlists;
 * - `needsImage`: the workflow waits for another image;
 * - `needsToken`: Incode refuses each session token that it issues, and the workflow asks for others until it accepts one;
 * - `completing`: `onboardingSession` completes the session;
 * - `purging`: the worker deletes at Incode what the plan says;
 * - `done`: the workflow has its result.
 */
export type CaptureStage = (typeof CAPTURE_STAGES)[number];

/** Incode's answer about an uploaded image. */
export interface ImageResult {
  /**
   * - `accepted`: Incode uses it;
   * - `doubtful`: Incode uses it, but its own apps would ask for another one;
   * - `refused`: Incode cannot use it, or says that a selfie does not show a living person.
   */
  assessment: 'accepted' | 'doubtful' | 'refused';
  /** Incode's reason such as `DOCUMENT_NOT_READABLE`, from an open set. */
  failReason: string | null;
  /** Incode's code such as 4019, if it refused the image with an error. */
  code: number | null;
  /** The checks that the image fails, such as `glare`. */
  failedChecks: string[];
  /** For a selfie: 0 for a living person, 1 for a spoof. */
  confidence?: number | null;
  /** For a document: its type, such as `Passport`. */
  typeOfId?: string | null;
  /** For a document. */
  isDocumentExpired?: boolean | null;
}

/** Incode's answer about the face. */
export interface FaceResult {
  /** 1 if selfie and document show the same person. */
  confidence: number | null;
  /** Whether an approved person has this face. Normal for a person who is verified again. */
  existingUser: boolean | null;
  nameMatched: boolean | null;
  /** Incode's code, if it answered with an error. */
  code: number | null;
}

/** The answer of the government's registry. */
export interface GovernmentResult {
  valid: boolean | null;
  /** 0, unless the validation failed. */
  statusCode: number | null;
}

/** The answer of the watchlists. */
export interface WatchlistResult {
  /** The number of hits. The hits themselves are at Incode. `null` if Incode's answer has another form. */
  hits: number | null;
}

/** Incode's answer for each image of a person. `null` for an image that was not uploaded. */
export type ImageResults = Record<ImageSide, ImageResult | null>;

/** A session that a lost request may have opened, or an earlier run of the person has left, and that is not used. */
export interface SuspectedOrphan {
  /**
   * As sent to Incode. Search for it on Incode's dashboard.
   *
   * @maxLength 200
   */
  externalCustomerId: string;
  /** `null` if it is unknown whether there is a session. */
  interviewId: InterviewId | null;
}

/** Result of `captureOnboarding`. */
export interface CaptureResult {
  reference: CaptureReference;
  /** Incode's id of the session. */
  interviewId: InterviewId;
  /** As sent to Incode: the reference, `~`, and an id of the attempt. */
  externalCustomerId: string;
  /** The result of `onboardingSession`. `null` if another caller had started it for this session: then read its result. */
  onboarding: OnboardingResult | null;
  images: ImageResults;
  /** Which images these answers are about. Absent in results of earlier versions. */
  digests?: ImageDigests;
  /** Whether Incode has processed the document. */
  idProcessed: boolean;
  /** `null` without a selfie. */
  face: FaceResult | null;
  /** `null` if the plan does not ask for it. */
  government: GovernmentResult | null;
  /** `null` if the plan does not ask for it. */
  watchlist: WatchlistResult | null;
  /** What was deleted at Incode. `null` if nothing was, see `notPurged`. Absent if the plan does not say so. */
  purged?: 'images' | 'session' | null;
  /** Why nothing was deleted although the plan says so. Absent otherwise. */
  notPurged?: string;
  /** Sessions that may have been opened for this person, by earlier runs too, and are not used. Usually empty. */
  suspectedOrphans: SuspectedOrphan[];
}

/** The workflow `captureOnboarding`, for typed handles. */
export type CaptureWorkflow = (input: CaptureInput) => Promise<CaptureResult>;

/** An image that no worker can read, or that cannot be sent to Incode. */
export interface UnusableImage {
  side: ImageSide;
  /** Its address, without query and login. */
  uri: string;
  /** As in `ImageError`, such as `missing`. `null` if unknown. */
  problem: string | null;
  /** What is wrong, in words for people. */
  reason: string;
}

/** Answer of the `state` query of `captureOnboarding`. */
export interface CaptureState {
  reference: CaptureReference;
  /** Where the person is now. */
  stage: CaptureStage;
  /** What somebody has to do before the workflow continues. `null` if nobody has to act. */
  waitingFor: string | null;
  /** The images that the workflow waits for. */
  needs: ImageSide[];
  /** Why the workflow waits for another image, if it could not send the last one. Absent otherwise. */
  unusableImage?: UnusableImage;
  /**
   * When the current wait ends by itself, in ISO 8601. `null` if it does not end by itself.
   *
   * @format date-time
   */
  deadline: string | null;
  /** `null` until there is a session. */
  interviewId: InterviewId | null;
  /** Incode's answers about the images so far. */
  images: ImageResults;
  suspectedOrphans: SuspectedOrphan[];
  /** `null` until the stage is `done`. */
  outcome: Outcome | null;
  /** The plan with every default filled in. */
  plan: CapturePlan;
  /** What happened, oldest first: the start and the last 50 events. */
  timeline: TimelineEntry[];
}

/** Argument of the `replaceImage` update. */
export interface ReplaceImageInput {
  side: ImageSide;
  image: ImageReference;
}

/** Argument of the `sessionStarted` signal, from Incode's Session Started webhook. Other fields are ignored. */
export interface SessionStartedInput {
  interviewId: InterviewId;
  /** As in the webhook. */
  externalCustomerId: string;
}
