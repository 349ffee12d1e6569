import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  isCancellation,
  makeContinueAsNewFunc,
} from '@temporalio/workflow';
import { type CaptureInput, type CaptureResult, checkCaptureInput } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { guarded } from '../failures.js';
import { NEW_RUN, NewRunIsDue } from '../new-run.js';
import { addEvent } from '../record.js';
import { readableInput } from '../unreadable.js';
import { completeSession } from './completion.js';
import { backStep } from './decisions.js';
import { withFacts } from './failures.js';
import { pinImages, uploadImage } from './images.js';
import { handleMessages, refuseMessages } from './messages.js';
import { Person } from './person.js';
import { askGovernment, matchFace, processDocument, searchWatchlists } from './processing.js';
import { purgeSession } from './purge.js';
import { type CaptureRecord, carriedCapture } from './record.js';
import { openSession } from './start.js';

/**
 * Opens a session at Incode for one person, uploads their images, has them processed, and completes the session. Payloads have references
 * to the images, and never their bytes.
 *
 * @param carried the record of the previous run; callers omit it
 */
export async function captureOnboarding(input: CaptureInput, carried?: CaptureRecord): Promise<CaptureResult> {
  const person = new Person(checked(input), carriedCapture(carried));
  handleMessages(person);
  const { record } = person;
  try {
    for (;;) {
      try {
        return await run(person);
      } catch (error) {
        if (!(error instanceof NewRunIsDue)) throw error;
        // A new run would lose the answer of an update that arrived meanwhile.
        if (allHandlersFinished()) await makeContinueAsNewFunc<typeof captureOnboarding>(NEW_RUN)(person.input, record);
      }
    }
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const failure = withFacts(error, person);
    addEvent(record, isCancellation(failure) ? 'Cancelled' : `Failed: ${(failure as Error).message}`);
    person.enter('done');
    throw failure;
  } finally {
    // Callers get the answers of their updates even if the workflow fails or is cancelled.
    if (!allHandlersFinished()) await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}

function checked(input: CaptureInput): CaptureInput {
  try {
    return guarded(() => checkCaptureInput(readableInput(input)));
  } catch (error) {
    refuseMessages(error);
    throw error;
  }
}

/** Skips the steps that a previous run has done. */
async function run(person: Person): Promise<CaptureResult> {
  const { record, plan } = person;
  // Before there is a session: an image that cannot be read opens none.
  await pinImages(person);
  await openSession(person);
  while (record.idProcessed === null) {
    const hasBack = await uploadDocument(person);
    // Null again if the document needs other images.
    await processDocument(person, hasBack);
  }
  if (record.images.selfie !== null) {
    await uploadImage(person, 'selfie');
    if (record.face === null) await matchFace(person);
  }
  if (plan.government && record.government === null) await askGovernment(person);
  if (plan.watchlist && record.watchlist === null) await searchWatchlists(person);
  await completeSession(person);
  await purgeSession(person);
  return conclude(person);
}

/** @returns whether the document has a back */
async function uploadDocument(person: Person): Promise<boolean> {
  const { record } = person;
  await uploadImage(person, 'front');
  const { upload, event } = backStep(record, record.images.back !== null);
  if (event !== null) addEvent(record, event);
  if (upload) await uploadImage(person, 'back');
  return upload;
}

function conclude(person: Person): CaptureResult {
  const { record, input } = person;
  if (record.session === null) throw new Error('There is no session');
  const { interviewId, externalCustomerId } = record.session;
  person.enter('done');
  return {
    reference: input.reference,
    interviewId,
    externalCustomerId,
    onboarding: record.onboarding,
    images: record.results,
    ...omitUndefined({ digests: record.digests }),
    idProcessed: record.idProcessed === true,
    face: record.face,
    government: record.government,
    watchlist: record.watchlist,
    ...record.purge,
    suspectedOrphans: person.orphans,
  };
}
