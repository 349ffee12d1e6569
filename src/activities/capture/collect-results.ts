import { Context, log } from '@temporalio/activity';
import { type Client, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isSamePerson } from '../../contract/capture.js';
import {
  type CaptureResult,
  type CaptureRow,
  type CaptureWorkflow,
  captureWorkflowId,
  FAILURES,
  type OnboardingWorkflow,
  onboardingWorkflowId,
} from '../../contract/index.js';
import { rowOfFailedPerson, rowOfPerson } from '../../contract/person-row.js';
import type { CollectedResults, StartedPerson } from './types.js';

/** Requests to the Temporal server at the same time. A shard has up to 200 people, and other shards ask too. */
const AT_A_TIME = 8;

export async function collectResults({ people }: { people: StartedPerson[] }): Promise<CollectedResults> {
  const { client } = Context.current();
  const collected: CollectedResults = { ended: [], unknown: [] };
  const left = [...people];
  const lane = async () => {
    for (let person = left.shift(); person; person = left.shift()) {
      const found = await rowIfEnded(client, person);
      if (found === 'unknown') collected.unknown.push(person.index);
      else if (found !== 'running') collected.ended.push([person.index, found]);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return collected;
}

async function rowIfEnded(client: Client, person: StartedPerson): Promise<CaptureRow | 'running' | 'unknown'> {
  const { reference, startedWith } = person;
  const handle = client.workflow.getHandle<CaptureWorkflow>(captureWorkflowId(reference));
  try {
    const { status, memo, runId } = await handle.describe();
    // A workflow that was not started by a batch has no such memo.
    const known = memo?.startedWith as StartedPerson['startedWith'];
    if (startedWith && known && !isSamePerson(known, startedWith)) {
      return rowOfFailedPerson(reference, differs(reference));
    }
    if (isOpen(status.name)) return 'running';
    return await rowOf(client, await client.workflow.getHandle<CaptureWorkflow>(handle.workflowId, runId).result());
  } catch (error) {
    if (error instanceof WorkflowFailedError) return rowOfFailedPerson(reference, error.cause);
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    // The others must not wait for this person. The workflow asks again.
    log.warn(`Person ${reference}: the state of the workflow is not known: ${(error as Error).message}`);
    return 'running';
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

function differs(reference: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.personDiffers,
    message:
      `Person ${reference}: the workflow ${captureWorkflowId(reference)} was started with other images or another flow, ` +
      'so its result is not reported. Give the person another reference, or wait until it has ended and retry a failed one',
  });
}

function gone(interviewId: string): ApplicationFailure {
  return ApplicationFailure.create({
    type: FAILURES.unknownSession,
    message: `Session ${interviewId}: another caller has started its workflow, which the namespace does not know any more`,
  });
}
