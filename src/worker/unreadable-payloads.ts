import { Runtime } from '@temporalio/worker';

const REPEAT_AFTER_MS = 60_000;

/**
 * Failures are encrypted, so the SDK's log does not say which key is missing. Every replay and retry reads the payload again, so the
 * same message is logged at most once a minute.
 *
 * @returns a function that logs why a payload cannot be read
 */
export function warnOfUnreadable(): (why: string, workflowId: string) => void {
  let last = { why: '', at: 0 };
  return (why, workflowId) => {
    if (why === last.why && Date.now() - last.at < REPEAT_AFTER_MS) return;
    last = { why, at: Date.now() };
    Runtime.instance().logger.warn(`A payload of a workflow cannot be read: ${why}`, { workflowId });
  };
}
