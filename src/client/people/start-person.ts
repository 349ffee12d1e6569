import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { differingAddresses, differingTexts, type PersonRequest, startedWithOf } from '../../contract/capture.js';
import { MAX_EARLIER_SESSIONS } from '../../contract/capture-guards.js';
import {
  CAPTURE_WORKFLOW,
  type CaptureInput,
  type CapturePlan,
  type CaptureWorkflow,
  capturePlanWithDefaults,
  captureWorkflowId,
  IMAGE_SIDES,
  type ImageSide,
  resolveCapturePlan,
  type SuspectedOrphan,
} from '../../contract/index.js';
import { hasFailedWithoutSession } from '../../contract/person-row.js';
import { earlierPerson, hasEndedWithoutResult } from '../../temporal/earlier-person.js';
import { inputOf } from '../../temporal/input.js';
import { compareImages } from '../../temporal/read-images.js';
import { failureOf } from '../../temporal/run-failure.js';
import { differingParts } from '../attach.js';
import { batchKey, type ReusePolicy, startUnlessKnown } from '../starting.js';
import { PersonDiffersError, PersonHasSessionError } from './errors.js';

export interface StartPersonOptions {
  /**
   * Starts a person again whose onboarding has failed, or was cancelled or terminated. A person who fails after a session was opened gets
   * another session, and the result names the earlier one in `suspectedOrphans`. As long as the workflow of the earlier session goes on, or
   * once it has completed, the person is not started again.
   *
   * @default false: only a person is started again who has failed before a session was opened
   */
  retryFailed?: boolean;
  /** Value of the search attribute `IncodeBatchId` of the person and the session. @default none */
  batchId?: string;
}

/** The onboarding of a person that `start` started or attached to. */
export interface StartedPerson {
  reference: string;
  /** Id of the person's workflow, for Temporal's own tools. */
  workflowId: string;
  /** Temporal's id of this run. */
  runId: string;
  /** `true` if the onboarding existed already, so nothing was started. It may have ended, also with a failure. */
  attached: boolean;
  /** The plan that the onboarding follows, including defaults. */
  plan: Required<CapturePlan>;
}

/** Starts the person's onboarding, or attaches to the existing one. */
export async function startPerson(
  { client, taskQueue, requestEagerStart }: { client: Client; taskQueue: string; requestEagerStart: boolean },
  input: CaptureInput,
  { retryFailed = false, batchId }: StartPersonOptions,
): Promise<StartedPerson> {
  const { reference } = input;
  const workflowId = captureWorkflowId(reference);
  const start = async (
    workflowIdReusePolicy: ReusePolicy,
    earlierSessions: SuspectedOrphan[] = [],
  ): Promise<StartedPerson | undefined> => {
    const started = await startUnlessKnown(client, CAPTURE_WORKFLOW, {
      workflowId,
      taskQueue,
      args: [withEarlier(input, earlierSessions)],
      workflowIdReusePolicy,
      requestEagerStart,
      // A list that has the same person with other images reports no result of this workflow.
      memo: { startedWith: startedWithOf(input) },
      staticSummary: `Incode person ${reference}`,
      ...(batchId === undefined
        ? {}
        : { typedSearchAttributes: new TypedSearchAttributes([{ key: batchKey, value: batchId }]) }),
    });
    return started && { reference, ...started, attached: false, plan: capturePlanWithDefaults(input.plan) };
  };
  const started = await start('REJECT_DUPLICATE');
  if (started) return started;

  const { workflow } = client;
  let existing = await workflow.getHandle<CaptureWorkflow>(workflowId).describe();
  if ((retryFailed && hasEndedWithoutResult(existing)) || hasFailedWithoutSession(await failureOf(client, existing))) {
    const { sessions, kept } = await earlierPerson(client, existing);
    if (kept) throw new PersonHasSessionError(reference, kept);
    const again = await start('ALLOW_DUPLICATE_FAILED_ONLY', sessions);
    if (again) return again;
    // Another caller was faster.
    existing = await workflow.getHandle<CaptureWorkflow>(workflowId).describe();
  }
  const known = await inputOf<CaptureInput>(client, existing);
  const differs = await differences(client, existing, input, known ?? {});
  if (differs.length > 0) throw new PersonDiffersError(reference, differs);
  const { runId } = existing;
  return { reference, workflowId, runId, attached: true, plan: capturePlanWithDefaults(known?.plan) };
}

function withEarlier(input: CaptureInput, found: SuspectedOrphan[]): CaptureInput {
  const earlierSessions = [...(input.earlierSessions ?? []), ...found].slice(-MAX_EARLIER_SESSIONS);
  return earlierSessions.length > 0 ? { ...input, earlierSessions } : input;
}

/** Parts of the plan that the caller does not name are not compared. */
async function differences(
  client: Client,
  run: WorkflowExecutionDescription,
  input: CaptureInput,
  known: Partial<CaptureInput>,
): Promise<string[]> {
  const parts = differingParts(input.plan, capturePlanWithDefaults(known.plan), resolveCapturePlan);
  const { differs } = await compareWithRun(client, run, input, known);
  return [...differs, ...parts.map((part) => `plan.${part}`)];
}

/**
 * Compares the parts of a request that a verdict depends on. An image without a digest is only compared by its address.
 *
 * @returns the parts that differ, and the images that the workflow has not read yet
 */
export async function compareWithRun(
  client: Client,
  run: WorkflowExecutionDescription,
  request: PersonRequest,
  known: Partial<CaptureInput>,
): Promise<{ differs: string[]; unread: ImageSide[] }> {
  const elsewhere = differingAddresses(known, request);
  const { differing, unread } = await compareImages(client, run, known, request);
  const images = IMAGE_SIDES.filter((side) => elsewhere.includes(side) || differing.includes(side));
  return { differs: [...images, ...differingTexts(known, request)], unread };
}
