import type { ImageReference, ImageSide, PersonRequest } from '../../contract/capture.js';
import type { CaptureRow } from '../../contract/capture-batch.js';
import type { SuspectedOrphan } from '../../contract/capture-workflow.js';
import type {
  FaceMatchAnswer,
  GovernmentAnswer,
  IdImageAnswer,
  ProcessIdAnswer,
  SelfieAnswer,
  WatchlistAnswer,
} from '../../incode/index.js';
import type { FailureDetails, SessionInput } from '../types.js';

/** A reference with the digest and size of its image, so that every later read gets the same image or fails. */
export type PinnedImage = Required<ImageReference>;

export interface PinImagesInput<Side extends ImageSide = ImageSide> {
  /** The caller's id of the person. */
  reference: string;
  images: { [side in Side]?: ImageReference };
}

export interface OpenSessionInput {
  /** The caller's id of the person, for messages. */
  reference: string;
  /**
   * Incode's `externalCustomerId`. If it is unique to this call, the webhook "Session Started" finds the session whose answer was lost.
   *
   * @default the reference
   */
  externalCustomerId?: string;
  /** The flow at Incode. @default the worker's */
  configurationId?: string;
  countryCode?: string;
  customFields?: Record<string, string>;
  /**
   * Takes over this session instead of opening one. A retry is safe, so a lost answer is an ordinary failure. If Incode opens a new session
   * instead, the result names that one.
   */
  interviewId?: string;
  /** The answer to an earlier request was lost, and the session that it may have opened was not found. */
  afterLostAnswer?: true;
}

export interface OpenedSession {
  interviewId: string;
  sessionToken: string;
  /** Incode's answer names the session together with the token. */
  issuedByIncode: true;
  /** Incode limits each endpoint separately, so some of the next calls have task queues of their own. */
  perEndpoint?: true;
  /** Incode has opened this session instead of handing one over, and so may have each of these requests. Absent for none. */
  earlierRequests?: number;
}

export interface UploadImageInput extends SessionInput {
  image: PinnedImage;
  /** Another image of this side may have been uploaded before. Later attempts set this by themselves. */
  retry?: true;
}

export interface UploadFrontInput extends UploadImageInput {
  /** There is no image of the back. */
  onlyFront?: true;
}

export interface ProcessIdInput extends SessionInput {
  /** The session was processed before, and has other images now. */
  again?: true;
}

export type ProcessIdResult = ProcessIdAnswer & {
  /** Incode refused a repeat without saying why. */
  assumed?: true;
};

export interface PurgeInput {
  interviewId: string;
  /** What to delete at Incode: images and other personal data, or the whole session. */
  what: 'images' | 'session';
}

export interface AwaitProcessedInput extends SessionInput {
  /** How long the ID may take, in milliseconds since the activity was scheduled. */
  processedWithinMs: number;
  /** The status must confirm it too, because `process/id` answered that the ID was already processed. */
  confirm?: true;
}

/** A person whose workflow was started before. */
export interface StartedPerson {
  /** Position in the shard. */
  index: number;
  reference: string;
  /** If set, a workflow that was started with something else is not this person's. */
  startedWith?: PersonRequest;
  /** The run that an earlier question has compared, instead of `startedWith`. Another run has to be compared again. */
  comparedRunId?: string;
  /** Whether to start the person again if the workflow has failed, or was cancelled or terminated. */
  retryFailed?: true;
  /** The person's session is all that is asked for, because the list is stopped. */
  onlySession?: true;
}

export interface CollectedResults {
  ended: [index: number, row: CaptureRow][];
  /** The namespace knows no workflow of these people. */
  unknown: number[];
  /**
   * People among `ended` who may be started again: their workflow was started with something else, and has failed before a session was
   * opened, or they are to be retried. Absent if there are none.
   */
  replaceable?: number[];
  /** Sessions that the earlier runs of these people have opened or may have opened. Absent if there are none. */
  earlierSessions?: [index: number, sessions: SuspectedOrphan[]][];
  /** The session and suspected orphans of those who were asked for nothing else. */
  sessions?: [index: number, known: CaptureRow][];
  /** People who have not ended, with the run that was compared. `null`: the next question has to compare. */
  compared?: [index: number, runId: string | null][];
}

/** The activities by the names under which a worker registers them. */
export interface CaptureActivities {
  /** Reads images, and adds digest and size to their references. */
  pinImages<Side extends ImageSide>(input: PinImagesInput<Side>): Promise<{ [side in Side]?: PinnedImage }>;
  /**
   * Opens a session. It sends a request again only if no earlier one can have opened a session.
   *
   * @throws `IncodeMaybeOpened`, which is not retried, if one may have
   */
  openSession(input: OpenSessionInput): Promise<OpenedSession>;
  /** Reads an image and uploads it. The newest image of a side counts. A refused image is a result. */
  uploadFront(input: UploadFrontInput): Promise<IdImageAnswer>;
  uploadBack(input: UploadImageInput): Promise<IdImageAnswer>;
  uploadSelfie(input: UploadImageInput): Promise<SelfieAnswer>;
  /** Starts the processing of the ID. Every attempt after the first reads the session's status before. */
  processId(input: ProcessIdInput): Promise<ProcessIdResult>;
  /** Polls until the ID is processed. @returns `finished: false` after `processedWithinMs` */
  awaitProcessed(input: AwaitProcessedInput): Promise<{ finished: boolean }>;
  processFace(input: SessionInput): Promise<FaceMatchAnswer>;
  /** Asks the government's registry. Each call may be billed, so every attempt after the first reads the session's status before. `null`: the answer was lost. */
  governmentValidation(input: SessionInput): Promise<GovernmentAnswer>;
  watchlist(input: SessionInput): Promise<WatchlistAnswer>;
  /** Deletes at Incode with the executive token. What is already deleted counts as deleted. @throws `IncodePurgeImpossible` without such a token */
  purge(input: PurgeInput): Promise<void>;
  /** Collects the results of those people whose workflows have ended. It asks Temporal, and never Incode. */
  collectResults(input: { people: StartedPerson[] }): Promise<CollectedResults>;
}

/** `details[0]` of a failure of these activities. It contains no secret and nothing of an image. */
export interface CaptureFailureDetails extends FailureDetails {
  /** Side of the image that the failure is about. */
  image?: ImageSide;
  /** The problem, as in `ImageError`. */
  problem?: string;
}
