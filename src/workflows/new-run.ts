import { allHandlersFinished, type ContinueAsNewOptions, workflowInfo } from '@temporalio/workflow';

/** Thrown in a long wait, to go on in a new run: nothing but the record is under way then. */
export class NewRunIsDue extends Error {}

/** An update that still waits for its answer would be lost with this run, so it comes first. */
export function newRunIsDue(): boolean {
  return wantsNewRun() && allHandlersFinished();
}

/**
 * Because the history has grown long, or because another version of the worker takes new work: a run is pinned to the version
 * that began it, and a wait of weeks must not keep that version's workers alive. A new run needs the record only, so
 * no version has to replay what another one has done.
 */
export function wantsNewRun(): boolean {
  const { continueAsNewSuggested, targetWorkerDeploymentVersionChanged } = workflowInfo();
  return continueAsNewSuggested || targetWorkerDeploymentVersionChanged;
}

/** It goes to the version that takes new work then. Means nothing to workers without a version. */
export const NEW_RUN: ContinueAsNewOptions = { initialVersioningBehavior: 'AUTO_UPGRADE' };
