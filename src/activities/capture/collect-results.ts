import { Context, log } from '@temporalio/activity';
import {
  type Client,
  type WorkflowExecutionDescription,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { type ImageSide, replacedImages } from '../../contract/capture.js';
import { MAX_EARLIER_SESSIONS } from '../../contract/capture-guards.js';
import {
  type CaptureResult,
  type CaptureRow,
  type CaptureWorkflow,
  captureWorkflowId,
  FAILURES,
  type OnboardingWorkflow,
  onboardingWorkflowId,
  type SuspectedOrphan,
} from '../../contract/index.js';
import {
  hasFailedWithoutSession,
  rowFacts,
  rowOfFailedPerson,
  rowOfPerson,
  whyNotAgain,
} from '../../contract/person-row.js';
import { earlierPerson, hasEndedWithoutResult, sessionsOfRun } from '../../temporal/earlier-person.js';
import { failureOf } from '../../temporal/run-failure.js';
import { callIncode } from '../call.js';
import { compareRequest, ImageReader, OutOfTime } from './compare-request.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { CollectedResults, StartedPerson } from './types.js';

/** Requests to the Temporal server at the same time. A shard has up to 200 people, and other shards ask too. */
const AT_A_TIME = 8;

/** The run that was compared, or `null` if the next question has to compare: images are unread, or another run has taken its place. */
type Compared = Map<number, string | null>;

interface Described {
  person: StartedPerson;
  run: WorkflowExecutionDescription;
}

/** People who may be started again, with the sessions of their earlier runs. */
type Replaceable = Map<number, SuspectedOrphan[]>;

export function collectResults(options: Pick<ResolvedCaptureOptions, 'sources'>) {
  // With heartbeats, the question of a worker that dies is soon asked again.
  return ({ people }: { people: StartedPerson[] }) => callIncode(() => collect(people, new ImageReader(options)));
}

async function collect(people: StartedPerson[], images: ImageReader): Promise<CollectedResults> {
  const { client } = Context.current();
  const collected: CollectedResults = { ended: [], unknown: [] };
  const compared: Compared = new Map();
  const replaceable: Replaceable = new Map();
  const sessions: [index: number, known: CaptureRow][] = [];
  const ended: Described[] = [];
  const open: Described[] = [];
  await forEach(people, async (person) => {
    const { index } = person;
    if (person.onlySession) {
      const known = await knownSessions(client, person);
      if (known) sessions.push([index, known]);
      return;
    }
    const run = await described(client, person);
    if (run === 'unknown') collected.unknown.push(index);
    else if (run) (isOpen(run.status.name) ? open : ended).push({ person, run });
  });
  const ask = async ({ person, run }: Described) => {
    const { index } = person;
    const found = await rowIfEnded(client, person, run, images, compared, replaceable);
    if (found === 'running') return;
    compared.delete(index);
    if (found === 'unknown') collected.unknown.push(index);
    else collected.ended.push([index, found]);
  };
  await forEach(ended, ask);
  // Images of people who go on, and which nobody can read, must not take the time of those who have ended.
  await forEach(open, ask);
  const earlierSessions = [...replaceable].filter(([, sessions]) => sessions.length > 0);
  return {
    ...collected,
    ...(replaceable.size > 0 ? { replaceable: [...replaceable.keys()] } : {}),
    ...(earlierSessions.length > 0 ? { earlierSessions } : {}),
    ...(sessions.length > 0 ? { sessions } : {}),
    ...(compared.size > 0 ? { compared: [...compared] } : {}),
  };
}

async function forEach<T>(items: T[], handle: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await handle(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

/** @returns `undefined` if the server does not say */
async function described(
  client: Client,
  { reference }: StartedPerson,
): Promise<WorkflowExecutionDescription | 'unknown' | undefined> {
  try {
    return await client.workflow.getHandle(captureWorkflowId(reference)).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    warn(reference, error);
    return undefined;
  }
}

/** The others must not wait for this person. The workflow asks again. */
function warn(reference: string, error: unknown): void {
  log.warn(`Person ${reference}: the state of the workflow is not known: ${(error as Error).message}`);
}

/** @returns `undefined` if the server does not say. The stop of the list must not wait for that */
async function knownSessions(client: Client, { reference }: StartedPerson): Promise<CaptureRow | undefined> {
  try {
    const run = await client.workflow.getHandle(captureWorkflowId(reference)).describe();
    return rowFacts(await sessionsOfRun(client, run));
  } catch (error) {
    log.warn(`Person ${reference}: the session is not known: ${(error as Error).message}`);
    return undefined;
  }
}

async function rowIfEnded(
  client: Client,
  { index, reference, startedWith, comparedRunId, retryFailed }: StartedPerson,
  run: WorkflowExecutionDescription,
  images: ImageReader,
  compared: Compared,
  replaceable: Replaceable,
): Promise<CaptureRow | 'running' | 'unknown'> {
  try {
    const { status, runId } = run;
    let unknown: ImageSide[] = [];
    if (startedWith) {
      const same = await compareRequest(client, run, startedWith, images);
      if (same === null || same.differing.length > 0) {
        const mayStart = retryFailed
          ? hasEndedWithoutResult(run)
          : hasFailedWithoutSession(await failureOf(client, run));
        const kept = mayStart ? await rowIfKept(client, run, index, reference, replaceable) : null;
        return kept ?? rowOfFailedPerson(reference, differs(reference, same?.differing));
      }
      unknown = same.unknown;
      const isCompared = unknown.length === 0 && same.unread.length === 0;
      compared.set(index, isCompared ? runId : null);
    } else if (comparedRunId !== undefined && comparedRunId !== runId) {
      compared.set(index, null);
      return 'running';
    }
    if (isOpen(status.name)) return 'running';
    if (retryFailed && hasEndedWithoutResult(run)) {
      const kept = await rowIfKept(client, run, index, reference, replaceable);
      if (kept) return kept;
    }
    const row = await rowOfEnded(client, run, reference);
    return row === 'running' || row.failure || unknown.length === 0 ? row : { ...row, notCompared: unknown };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    if (error instanceof OutOfTime) compared.set(index, null);
    else warn(reference, error);
    return 'running';
  }
}

/** @returns the row of a person who must not be started again, because the earlier session may lead to a verdict */
async function rowIfKept(
  client: Client,
  run: WorkflowExecutionDescription,
  index: number,
  reference: string,
  replaceable: Replaceable,
): Promise<CaptureRow | null> {
  const { sessions, kept } = await earlierPerson(client, run);
  if (!kept) {
    replaceable.set(index, sessions.slice(-MAX_EARLIER_SESSIONS));
    return null;
  }
  const { interviewId, status } = kept;
  const failure = ApplicationFailure.create({
    type: FAILURES.personHasSession,
    message: `Person ${reference}: ${whyNotAgain(interviewId, status)}`,
    details: [{ interviewId, suspectedOrphans: sessions.filter((session) => session.interviewId !== interviewId) }],
  });
  return rowOfFailedPerson(reference, failure);
}

async function rowOfEnded(
  client: Client,
  run: WorkflowExecutionDescription,
  reference: string,
): Promise<CaptureRow | 'running'> {
  const { workflowId, runId } = run;
  try {
    return await rowOf(client, await client.workflow.getHandle<CaptureWorkflow>(workflowId, runId).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof ApplicationFailure) return rowOfFailedPerson(reference, cause);
    // A workflow that somebody has ended names no session.
    return { ...rowFacts(await sessionsOfRun(client, run)), ...rowOfFailedPerson(reference, cause) };
  }
}

/** If another caller has started the session's workflow, that one has the outcome. */
async function rowOf(client: Client, result: CaptureResult): Promise<CaptureRow | 'running'> {
  const { reference, interviewId, onboarding } = result;
  if (onboarding !== null) return rowOfPerson(result, onboarding);
  const handle = client.workflow.getHandle<OnboardingWorkflow>(onboardingWorkflowId(interviewId));
  try {
    if (isOpen((await handle.describe()).status.name)) return 'running';
    return rowOfPerson(result, await handle.result());
  } catch (error) {
    const isGone = error instanceof WorkflowNotFoundError;
    if (!isGone && !(error instanceof WorkflowFailedError)) throw error;
    const { name, message, type } = (isGone ? gone(interviewId) : error.cause) as ApplicationFailure;
    return rowOfFailedPerson(reference, { name, message, type, details: [result] });
  }
}

function isOpen(status: string): boolean {
  return status === 'RUNNING' || status === 'PAUSED' || status === 'CONTINUED_AS_NEW';
}

function differs(reference: string, replaced: ImageSide[] = []): ApplicationFailure {
  const workflowId = captureWorkflowId(reference);
  if (replaced.length > 0) {
    const message = `Person ${reference}: ${replacedImages(replaced, workflowId)}`;
    return ApplicationFailure.create({ type: FAILURES.personDiffers, message });
  }
  return ApplicationFailure.create({
    type: FAILURES.personDiffers,
    message:
      `Person ${reference}: the workflow ${workflowId} was started with other images, another flow, country or ` +
      'other custom fields, so its result is not reported. Give the person another reference, or wait until it has ended and retry a failed one',
  });
}

function gone(interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.unknownSession,
    message: `Session ${interviewId}: another caller has started its workflow, which the namespace does not know any more`,
  });
}
