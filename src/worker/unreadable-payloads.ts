import { Runtime } from '@temporalio/worker';

const AGAIN_AFTER_MS = 60_000;

/**
 * Failures are encrypted, so the SDK's log does not say which key is missing. A payload comes again with each replay and each retry:
 * the same message is logged once a minute.
 *
 * @returns logs what a payload cannot be read for
 */
export function warnOfUnreadable(): (why: string, workflowId: string) => void {
  let last = { why: '', at: 0 };
  return (why, workflowId) => {
    if (why === last.why && Date.now() - last.at < AGAIN_AFTER_MS) return;
    last = { why, at: Date.now() };
    Runtime.instance().logger.warn(`A payload of a workflow cannot be read: ${why}`, { workflowId });
  };
}
