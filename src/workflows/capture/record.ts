import { workflowInfo } from '@temporalio/workflow';
import type {
  CaptureInput,
  CaptureResult,
  CaptureStage,
  FaceResult,
  GovernmentResult,
  ImageDigests,
  ImageReference,
  ImageResults,
  ImageSide,
  OnboardingResult,
  TimelineEntry,
  WatchlistResult,
} from '../../contract/index.js';
import { addEvent } from '../record.js';
import { needed } from '../unreadable.js';
import type { OpeningAttempt, UsedSession } from './opening.js';

/** An image that cannot be read or sent. */
export interface UnusableImageRecord {
  side: ImageSide;
  message: string;
  /** As in `ImageError`. */
  problem: string | null;
}

/** The state of a person. Continue-as-new hands it to the next run, so it is plain JSON. */
export interface CaptureRecord {
  /** Never `needsToken`, which is a wait within a stage. */
  stage: Exclude<CaptureStage, 'needsToken'>;
  /** When the stage ends by itself, in ms since the epoch. `null` if it does not end by itself. */
  deadline: number | null;
  /** As given, or as handed in later. `null` without an image. */
  images: Record<ImageSide, ImageReference | null>;
  /** With digest and size. `null` until the image was read. */
  pinned: Record<ImageSide, Required<ImageReference> | null>;
  /** Of the images that were read. Absent until then, and in records of earlier versions. */
  digests?: ImageDigests;
  /** Images that the workflow waits for. */
  needs: ImageSide[];
  /** Why the first of them cannot be read or sent. `null` if Incode refused them. */
  unusable: UnusableImageRecord | null;
  /** Images that nobody has replaced in time. */
  givenUp: ImageSide[];
  /** Requests to open a session, oldest first. */
  attempts: OpeningAttempt[];
  /** `null` until there is a session. `perEndpoint`: its calls use the task queues of a limit per endpoint. */
  session: (UsedSession & { sessionToken: string; perEndpoint?: true }) | null;
  /** Tokens that Incode has refused in a row, and when it refused the first one, in ms since the epoch. Absent if there are none. */
  refusedTokens?: { count: number; since: number };
  results: ImageResults;
  /** Sides for which an upload was sent, so that the next one is a repeat. */
  sent: ImageSide[];
  /** Incode says that the document has no back. */
  hasNoBack: boolean;
  /** How often `process/id` was answered. */
  processed: number;
  /** Incode's answer to `process/id`, until the processing has ended. Absent before and after. */
  processing?: 'await' | 'confirm';
  /** `null` until the processing has ended. */
  idProcessed: boolean | null;
  face: FaceResult | null;
  government: GovernmentResult | null;
  watchlist: WatchlistResult | null;
  /** `null` until the child has ended. */
  onboarding: OnboardingResult | null;
  /** Absent until something is deleted at Incode, or cannot be. */
  purge?: Pick<CaptureResult, 'purged' | 'notPurged'>;
  timeline: TimelineEntry[];
}

export function newCaptureRecord({ front, back, selfie }: CaptureInput): CaptureRecord {
  const record: CaptureRecord = {
    stage: 'pinning',
    deadline: null,
    images: { front, back: back ?? null, selfie: selfie ?? null },
    pinned: { front: null, back: null, selfie: null },
    needs: [],
    unusable: null,
    givenUp: [],
    attempts: [],
    session: null,
    results: { front: null, back: null, selfie: null },
    sent: [],
    hasNoBack: false,
    processed: 0,
    idProcessed: null,
    face: null,
    government: null,
    watchlist: null,
    onboarding: null,
    timeline: [],
  };
  addEvent(record, 'Started', workflowInfo().startTime);
  return record;
}

/** Anybody who may hand in images can do so often, so the record must not grow without end. */
const MAX_LATER_DIGESTS = 2;

/** Notes the images that a worker has read. */
export function pin(record: CaptureRecord, images: Partial<Record<ImageSide, Required<ImageReference>>>): void {
  for (const [side, image] of Object.entries(images) as [ImageSide, Required<ImageReference>][]) {
    const earlier = record.pinned[side]?.sha256;
    const [first, ...later] = record.digests?.[side] ?? (earlier === undefined ? [] : [earlier]);
    const { sha256 } = image;
    const digests = first === undefined ? [sha256] : [first, ...[...later, sha256].slice(-MAX_LATER_DIGESTS)];
    record.digests = { ...record.digests, [side]: digests };
    record.pinned[side] = image;
  }
}

/** @returns the record of the previous run, if it continued as new. See `carriedRecord` of sessions. */
export function carriedCapture(carried: unknown): CaptureRecord | undefined {
  if (workflowInfo().continuedFromExecutionRunId === undefined) return undefined;
  const record = needed(carried) as Partial<CaptureRecord> | null | undefined;
  return Array.isArray(record?.timeline) && Array.isArray(record.attempts) ? (record as CaptureRecord) : undefined;
}
