import type { CaptureView, ImagePart, Upload } from './types.js';

/** What a session has received. It is plain JSON for the data file. */
export interface CaptureRecord extends CaptureView {
  /** The sides that were uploaded since the last `process/id`. */
  fresh: { front: boolean; back: boolean };
  /** The document has one side. */
  hasNoBack: boolean;
  /** The last `process/id` failed with this code. It fails again until the ID is uploaded again. */
  idCode: number | null;
}

/** Bounds the memory of simulators that run for days. */
const MAX_UPLOADS = 50;

export function newCaptureRecord(customFields: Record<string, string> = {}): CaptureRecord {
  return {
    uploads: [],
    attempts: { front: 0, back: 0, face: 0 },
    processed: { id: 0, face: 0, government: 0, watchlist: 0 },
    consents: { user: false, ml: false },
    customFields,
    fresh: { front: false, back: false },
    hasNoBack: false,
    idCode: null,
  };
}

export function recordUpload(capture: CaptureRecord, upload: Upload): void {
  const { part } = upload;
  if (part !== 'face') capture.fresh[part] = true;
  capture.uploads.push(upload);
  if (capture.uploads.length > MAX_UPLOADS) capture.uploads.shift();
}

/** The newest upload of a part. */
export function newest({ uploads }: CaptureRecord, part: ImagePart): Upload | undefined {
  return uploads.findLast((upload) => upload.part === part);
}

export function viewOf(capture: CaptureRecord): CaptureView {
  const { uploads, attempts, processed, consents, customFields } = capture;
  return structuredClone({ uploads, attempts, processed, consents, customFields });
}
