import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { type ChildWorkflowHandle, startChild } from '@temporalio/workflow';
import { startedWithOf } from '../../contract/capture.js';
import {
  CAPTURE_WORKFLOW,
  type CaptureBatchInput,
  type CapturePerson,
  type CaptureWorkflow,
  captureWorkflowId,
  type SuspectedOrphan,
} from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { batchKey } from '../visibility.js';

/** People of batches come after those whom somebody has started singly. The server's default is 3. */
const AFTER_SINGLE_PEOPLE = { priorityKey: 4 };

/**
 * Starts the workflow of a person.
 *
 * @param earlier sessions of the earlier workflow, which has failed and is replaced
 * @returns `undefined` if the person's workflow exists already
 */
export async function startPerson(
  person: CapturePerson,
  { plan, batchId }: Pick<CaptureBatchInput, 'plan' | 'batchId'>,
  earlier: SuspectedOrphan[] | undefined,
): Promise<ChildWorkflowHandle<CaptureWorkflow> | undefined> {
  const earlierSessions = earlier?.length ? earlier : undefined;
  const { reference } = person;
  try {
    return await startChild<CaptureWorkflow>(CAPTURE_WORKFLOW, {
      workflowId: captureWorkflowId(reference),
      args: [{ ...person, ...omitUndefined({ plan, earlierSessions }) }],
      // A person goes on if somebody cancels or terminates the shard. The batch attaches again when it is run again.
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON',
      // A failed workflow is replaced only after its sessions are known.
      workflowIdReusePolicy: earlier === undefined ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
      memo: { startedWith: startedWithOf(person) },
      typedSearchAttributes: [{ key: batchKey, value: batchId }],
      staticSummary: `Incode person ${reference}`,
      priority: AFTER_SINGLE_PEOPLE,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return undefined;
  }
}
