import { setTimeout as sleep } from 'node:timers/promises';
import { REQUIRED_HEADERS, type RequiredHeader } from '../../../incode/headers.js';
import type { Delay, Observations } from '../observations.js';
import type { OwnSession, OwnSessions } from '../own-sessions.js';
import { FINISH_PATH, NoReply, type Probe } from '../probe.js';
import { type Reply, statusOf } from '../reply.js';
import type { WebhookListener } from '../webhook-listener.js';

export interface TrialOptions {
  /** How long to wait for a status, a score or a webhook. */
  waitMs: number;
  tryRateLimit: boolean;
  waitForExpiryMs: number | undefined;
  executiveToken: string | undefined;
  listener: WebhookListener | undefined;
}

/** One run: its tools and its observations so far. */
export interface Trial extends TrialOptions {
  probe: Probe;
  sessions: OwnSessions;
  seen: Partial<Observations> & Pick<Observations, 'statuses'>;
  /** Why an observation is missing. */
  whyNot: Partial<Record<keyof Observations, string>>;
  /** Aborted to end the run early. */
  signal: AbortSignal;
}

/** Runs a part of the trial. A missing answer ends only this part. */
export async function attempt(
  trial: Trial,
  names: (keyof Observations)[],
  part: () => Promise<unknown>,
): Promise<void> {
  const note = (why: string) => {
    for (const name of names) trial.whyNot[name] ??= why;
  };
  if (trial.signal.aborted) return note(STOPPED);
  try {
    await part();
    note('an earlier step was refused');
  } catch (error) {
    if (trial.signal.aborted) return note(STOPPED);
    if (!(error instanceof NoReply)) throw error;
    note(error.message);
  }
}

export const STOPPED = 'this run was stopped before';

export interface StatusRead {
  token?: string;
  id?: string | undefined;
}

/** Reads a status and records its spelling. @param read replaces the session's own id or token */
export async function readStatus(trial: Trial, session: OwnSession, read: StatusRead = {}): Promise<Reply> {
  const { token = session.token } = read;
  const id = 'id' in read ? read.id : session.interviewId;
  const { probe, signal } = trial;
  const reply = await probe.ask({ ...STATUS, ...(id === undefined ? {} : { query: { id } }), token, signal });
  const status = statusOf(reply);
  if (status !== undefined) trial.seen.statuses.push(status);
  return reply;
}

export const STATUS = { method: 'GET', path: '/omni/get/onboarding/status' } as const;

export function readScore(
  { probe, signal }: Trial,
  { interviewId, token }: OwnSession,
  id = interviewId,
): Promise<Reply> {
  return probe.ask({ method: 'GET', path: '/omni/get/score', query: { id }, token, signal });
}

export function finish({ probe, signal }: Trial, { token }: OwnSession): Promise<Reply> {
  return probe.ask({ method: 'GET', path: FINISH_PATH, token, signal });
}

/** Sends a request once without each of the required headers, in sequence. */
export async function withoutEachHeader(
  ask: (without: RequiredHeader) => Promise<Reply>,
): Promise<Record<RequiredHeader, Reply>> {
  const replies: [RequiredHeader, Reply][] = [];
  for (const without of REQUIRED_HEADERS) replies.push([without, await ask(without)]);
  return Object.fromEntries(replies) as Record<RequiredHeader, Reply>;
}

/** Asks repeatedly until `done` or a timeout. */
export async function delayUntil(
  { signal, waitMs }: Trial,
  ask: () => Promise<{ done: boolean; last: string | undefined }>,
): Promise<Delay> {
  const begunAt = performance.now();
  for (;;) {
    const { done, last } = await ask();
    const ms = performance.now() - begunAt;
    if (done) return { ms, waitedMs: ms, last };
    if (ms >= waitMs) return { ms: null, waitedMs: ms, last };
    await sleep(ms < QUICK_MS ? QUICK_POLL_MS : SLOW_POLL_MS, undefined, { signal });
  }
}

// Measures short delays to a quarter of a second, and long ones with fewer requests.
const QUICK_MS = 5_000;
const QUICK_POLL_MS = 250;
const SLOW_POLL_MS = 1_000;
