import type { CaptureActivities } from '../../activities/capture/types.js';
import { addEvent } from '../record.js';
import { afterProcessId, isRefused, type ProcessingStarted } from './decisions.js';
import { hasRefused } from './failures.js';
import { refuse } from './images.js';
import type { Person } from './person.js';
import { withSession } from './session-access.js';

/** Has the document processed. `idProcessed` remains `null` if other images of it are needed first. */
export async function processDocument(person: Person, hasBack: boolean): Promise<void> {
  const { record, plan } = person;
  person.enter('processingId');
  if (record.processing === undefined) {
    const step = afterProcessId(await startProcessing(person), hasBack);
    record.processed += 1;
    if (step.kind === 'replace') {
      addEvent(record, 'Incode cannot process the document with these images');
      if (!refuse(person, step.sides)) record.idProcessed = false;
      return;
    }
    // A new run must not have the document processed again.
    record.processing = step.kind;
  }
  const confirm = record.processing === 'confirm' ? { confirm: true as const } : {};
  const { finished } = await withSession(person, (access, activities) =>
    activities.awaitProcessed({ ...access, processedWithinMs: plan.processDeadlineMs, ...confirm }),
  );
  delete record.processing;
  record.idProcessed = finished;
  addEvent(record, finished ? 'The document is processed' : 'The document is not processed in time');
}

async function startProcessing(person: Person): Promise<ProcessingStarted> {
  const { record } = person;
  const again = record.processed > 0 ? { again: true as const } : {};
  // Without images that it can use, Incode may refuse to process the document.
  const hasRefusedImage = () => isRefused(record.results.front) || isRefused(record.results.back);
  try {
    const { result, assumed } = await withSession(person, (access, activities) =>
      activities.processId({ ...access, ...again }),
    );
    return assumed && hasRefusedImage() ? 'failed' : result;
  } catch (error) {
    if (hasRefusedImage() && hasRefused(error, 'processId')) return 'failed';
    throw error;
  }
}

export async function matchFace(person: Person): Promise<void> {
  const { record } = person;
  person.enter('matchingFace');
  const none = { confidence: null, existingUser: null, nameMatched: null, code: null };
  const answer = await unlessRefused(person, 'compare the faces', 'processFace', none);
  const { confidence, existingUser, nameMatched, code } = answer;
  record.face = { confidence, existingUser, nameMatched, code };
}

export async function askGovernment(person: Person): Promise<void> {
  person.enter('government');
  const none = { valid: null, statusCode: null };
  const answer = await unlessRefused(person, 'ask the registry', 'governmentValidation', none);
  person.record.government = { valid: answer.valid, statusCode: answer.statusCode };
}

export async function searchWatchlists(person: Person): Promise<void> {
  person.enter('watchlist');
  const answer = await unlessRefused(person, 'search the watchlists', 'watchlist', { hits: null });
  person.record.watchlist = { hits: answer.hits };
}

type Answer<Name extends keyof CaptureActivities> = Awaited<ReturnType<CaptureActivities[Name]>>;

/** A refusal does not end the session, because the score shows what is missing. */
async function unlessRefused<Name extends 'processFace' | 'governmentValidation' | 'watchlist'>(
  person: Person,
  what: string,
  name: Name,
  none: Answer<Name>,
): Promise<Answer<Name>> {
  try {
    return await withSession(person, (access, activities) => activities[name](access) as Promise<Answer<Name>>);
  } catch (error) {
    if (!hasRefused(error, name)) throw error;
    addEvent(person.record, `Incode refused to ${what}`);
    return none;
  }
}
