import { allHandlersFinished, type ContinueAsNewOptions, workflowInfo } from '@temporalio/workflow';

/** Ends a long wait in order to continue as new. */
export class NewRunIsDue extends Error {}

/** Whether to continue as new now. An update in progress comes first, because a new run would lose its answer. */
export function newRunIsDue(): boolean {
  return wantsNewRun() && allHandlersFinished();
}

/**
 * Whether the history is long, or another version of the worker takes new work. A run is pinned to the version that began it, and a
 * wait of weeks must not keep workers of an old version alive. The new run starts from the record, so it replays nothing.
 */
export function wantsNewRun(): boolean {
  const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
  return continueAsNewSuggested || targetWorkerDeploymentVersionChanged;
}

/** Starts the new run on the version that takes new work. Has no effect on workers without a version. */
export const NEW_RUN: ContinueAsNewOptions = { initialVersioningBehavior: 'AUTO_UPGRADE' };
