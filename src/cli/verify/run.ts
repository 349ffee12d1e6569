import { printNotice } from '../shared/output.js';
import type { OwnSession } from './own-sessions.js';
import { isSuccess } from './reply.js';
import { tryProcessId } from './trials/capture.js';
import {
  measureDelays,
  tryClosing,
  tryExpiry,
  tryFirstFinish,
  tryHeadersOfPost,
  trySecondFinish,
} from './trials/finishing.js';
import { tryExecutiveScore, tryForeignReads, tryRateLimit, tryReads } from './trials/reads.js';
import { tryStarts } from './trials/starting.js';
import { STOPPED, type Trial } from './trials/trial.js';
import { tryFirstWebhook, trySecondWebhook } from './trials/webhooks.js';

/** Incode did not open the first session, so nothing can be tried. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** How many sessions a run opens as planned, and at most. */
export function sessionCounts(waitsForExpiry: boolean): { planned: number; most: number } {
  const planned = waitsForExpiry ? 4 : 3;
  // Starts with a known id and with an unknown id may each open another session.
  return { planned, most: planned + 2 };
}

/**
 * Tries all assumptions in sequence.
 *
 * @throws CannotStart if the first session cannot be opened; NoReply if that request has no answer
 */
export async function runTrial(trial: Trial): Promise<void> {
  const { sessions, whyNot, signal, waitForExpiryMs } = trial;
  const open = await started();
  const empty = await started();
  const captured = await started();
  const expiring = waitForExpiryMs === undefined ? undefined : await started();

  await tryReads(trial, open);
  await tryProcessId(trial, captured);
  const finished = await tryFirstFinish(trial, empty, captured);
  if (finished) {
    await measureDelays(trial, finished);
    await tryExecutiveScore(trial, finished);
    await tryFirstWebhook(trial, finished);
    await trySecondFinish(trial, finished);
    await trySecondWebhook(trial, finished);
  } else {
    for (const name of NEED_A_FINISH) whyNot[name] ??= signal.aborted ? STOPPED : 'no session could be finished';
  }
  // Two sessions with different statuses tell more.
  await tryForeignReads(trial, open, finished ?? captured);
  await tryStarts(trial, open);
  await tryClosing(trial, finished, open);
  await tryHeadersOfPost(trial, [finished, open]);
  await tryExpiry(trial, expiring);
  await tryRateLimit(trial, captured);

  async function started(): Promise<OwnSession> {
    printNotice('Opening a session');
    const { reply, session } = await sessions.start(signal);
    if (session) return session;
    throw new CannotStart(startProblem(reply.status, isSuccess(reply)));
  }
}

const NEED_A_FINISH = [
  'finish',
  'statusDelay',
  'scoreDelay',
  'executiveScore',
  'secondFinish',
  'closeAfterFinish',
  'webhook',
  'secondWebhook',
] as const;

function startProblem(status: number, isAnswer: boolean): string {
  if (status === 403) return 'Incode refused the API key (403). Check that it belongs to INCODE_BASE_URL';
  if (isAnswer) return `Incode answered ${status} to the first start without a session. Check INCODE_BASE_URL`;
  return `Incode answered ${status} to the first start. Check --configuration-id and the API key`;
}
