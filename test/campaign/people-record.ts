import type { CaptureRow, ImageReference, ImageSide } from '../../src/contract/index.js';
import type { Call, SessionView } from '../../src/testing/index.js';
import type { CaptureView } from '../../src/testing/simulator/capture/types.js';
import type { MadeImage } from './images.js';
import type { RunSummary } from './record.js';
import type { PlannedPerson } from './types.js';

/** What the campaign did to a person. */
export interface PersonRecord {
  person: PlannedPerson;
  by: 'single' | 'list';
  originals: Partial<Record<ImageSide, Required<ImageReference>>>;
  /** The server has confirmed the start. */
  acknowledged: boolean;
  cancelled: boolean;
  terminated: boolean;
  /** The workflow of the person's session was cancelled or terminated. */
  sessionEnded: boolean;
  /** The workflow was reset. */
  repeated: boolean;
  /** When an operator reset, paused or unpaused an activity, or the campaign did so instead. */
  operatedAt: number[];
  disturbed: { side: ImageSide; kind: 'loseImage' | 'changeImage' | 'truncateImage' }[];
  /** Images that were handed in, whether or not the workflow took them. */
  replacements: { side: ImageSide; at: number }[];
  problems: string[];
}

export function newPersonRecord(
  person: PlannedPerson,
  by: PersonRecord['by'],
  originals: PersonRecord['originals'],
): PersonRecord {
  return {
    ...{ person, by, originals },
    ...{ acknowledged: false, cancelled: false, terminated: false, sessionEnded: false, repeated: false },
    ...{ operatedAt: [], disturbed: [], replacements: [], problems: [] },
  };
}

/** One run of a person's workflow. */
export interface PersonRun extends RunSummary {
  /** `externalCustomerId`s in its history: those of the sessions that it asked for. */
  asked: string[];
  /** What its result or its failure says. `null` if it has neither, or no such facts. */
  report: PersonReport | null;
  /** The attempts of uploads of each side that the history counts. */
  uploadAttempts: Record<ImageSide, number>;
}

export interface PersonReport {
  interviewId: string | null;
  suspectedOrphans: { externalCustomerId: string; interviewId: string | null }[];
  /** Of a result. */
  idProcessed?: boolean;
  outcome?: string | null;
}

/** A session that exists at Incode for a person. */
export interface OpenedSession {
  view: SessionView;
  captures: CaptureView;
  calls: Call[];
}

/** A list that has the person. */
export interface PersonRow {
  batchId: string;
  /** `null` if the list has no row for the person. */
  row: CaptureRow | null;
}

export interface PersonEvidence {
  record: PersonRecord;
  /** Oldest first. */
  runs: PersonRun[];
  rows: PersonRow[];
  /** Oldest first. */
  opened: OpenedSession[];
  /** Requests for a session, oldest first. */
  starts: Call[];
  /** The images that reached Incode, by digest. Absent if the campaign has not made it. */
  images: Map<string, MadeImage>;
}
