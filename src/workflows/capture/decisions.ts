import type { ImageResult, ImageSide, ResolvedCapturePlan } from '../../contract/index.js';

/** What Incode says of a side of a document. */
export interface DocumentAnswer {
  /** The document has no back. */
  hasNoBack: boolean;
}

/** Whether to upload the back, and why not, in words for people. */
export function backStep(front: DocumentAnswer, hasImage: boolean): { upload: boolean; event: string | null } {
  if (!hasImage) return { upload: false, event: null };
  if (front.hasNoBack)
    return { upload: false, event: 'The back is not uploaded: Incode says that the document has none' };
  return { upload: true, event: null };
}

/** What happens after an image that cannot be used: the workflow goes on without it, waits for another one, or fails. */
export type RefusalStep = 'goOn' | 'wait' | 'fail';

/** @param hasWaited whether the deadline for another image is over */
export function afterRefusedImage({ onRefusedImage }: ResolvedCapturePlan, hasWaited: boolean): RefusalStep {
  if (onRefusedImage === 'fail') return 'fail';
  return onRefusedImage === 'wait' && !hasWaited ? 'wait' : 'goOn';
}

/** An image that cannot be read or sent. Nothing was uploaded, so the workflow cannot go on without another one. */
export function afterUnusableImage({ onRefusedImage }: ResolvedCapturePlan, hasWaited: boolean): RefusalStep {
  return onRefusedImage === 'wait' && !hasWaited ? 'wait' : 'fail';
}

export function isRefused(result: Pick<ImageResult, 'assessment'> | null): boolean {
  return result?.assessment === 'refused';
}

/** Why Incode refused an image, in words for people. */
export function reasonOf({ failReason, code, failedChecks }: ImageResult): string {
  const facts = [failReason, code === null ? null : `code ${code}`, ...failedChecks].filter((fact) => fact !== null);
  return facts.length > 0 ? facts.join(', ') : 'no reason given';
}

/** Answer of `process/id`. */
export type ProcessingStarted = 'started' | 'alreadyProcessed' | 'failed';

/**
 * What follows the answer of `process/id`:
 * - `await`: Incode is processing the document;
 * - `confirm`: Incode says that it has processed a document before. The status must say so too, because the other endpoint also says
 *   "finished" if nothing was ever processed;
 * - `replace`: the document can only be processed with other images of these sides.
 */
export type ProcessingStep = { kind: 'await' | 'confirm' } | { kind: 'replace'; sides: ImageSide[] };

export function afterProcessId(result: ProcessingStarted, hasBack: boolean): ProcessingStep {
  const steps: Record<ProcessingStarted, ProcessingStep> = {
    started: { kind: 'await' },
    alreadyProcessed: { kind: 'confirm' },
    // Incode processes a document again only after all of its sides were uploaded again.
    failed: { kind: 'replace', sides: hasBack ? ['front', 'back'] : ['front'] },
  };
  return steps[result];
}
