import { setTimeout as sleep } from 'node:timers/promises';
import { interviewIdOfToken } from '../../../contract/token-claims.js';
import { parseRetryAfter } from '../../../incode/retry-after.js';
import { printNotice } from '../../shared/output.js';
import type { Observations } from '../observations.js';
import { MADE_UP_ID, type OwnSession } from '../own-sessions.js';
import { type Reply, scoreStatusOf, statusOf } from '../reply.js';
import { attempt, readScore, readStatus, STATUS, type Trial, withoutEachHeader } from './trial.js';

/** Sends requests that change nothing, about one session that is not finished. */
export async function tryReads(trial: Trial, session: OwnSession): Promise<void> {
  const { probe, seen, signal, executiveToken } = trial;
  const { interviewId, token } = session;
  const read = { ...STATUS, query: { id: interviewId }, token, signal };
  seen.token = formOf(session);
  await attempt(trial, ['statusById', 'hasDate'], async () => {
    seen.statusById = await readStatus(trial, session);
    seen.hasDate = seen.statusById.date !== undefined;
  });
  await attempt(trial, ['statusWithoutId'], async () => {
    seen.statusWithoutId = await readStatus(trial, session, { id: undefined });
  });
  await attempt(trial, ['statusOfUnknownId'], async () => {
    seen.statusOfUnknownId = await readStatus(trial, session, { id: MADE_UP_ID });
  });
  await attempt(trial, ['getWithoutHeader'], async () => {
    seen.getWithoutHeader = await withoutEachHeader((without) => probe.ask({ ...read, without }));
  });
  await attempt(trial, ['wrongKey'], async () => {
    seen.wrongKey = await probe.ask({ ...read, apiKey: 'temporal-incode-verify-no-key' });
  });
  await attempt(trial, ['wrongToken'], async () => {
    seen.wrongToken = await probe.ask({ ...read, token: 'temporal-incode-verify-no-token' });
  });
  await attempt(trial, ['badParameter'], async () => {
    const query = { action: 'temporal-incode-verify' };
    const request = { method: 'POST', path: '/omni/session/status/set', query, token, body: {}, signal } as const;
    seen.badParameter = await probe.ask(request);
  });
  await attempt(trial, ['unknownPath'], async () => {
    seen.unknownPath = await probe.ask({ method: 'GET', path: '/omni/temporal-incode-verify', token, signal });
  });
  if (executiveToken === undefined) {
    trial.whyNot.executiveRead = NO_EXECUTIVE;
    trial.whyNot.executiveScore = NO_EXECUTIVE;
  } else {
    await attempt(trial, ['executiveRead'], async () => {
      seen.executiveRead = await probe.ask({ ...read, token: executiveToken });
    });
  }
}

const NO_EXECUTIVE = 'no executive token was given';

function formOf({ interviewId, token }: OwnSession): Observations['token'] {
  const claims = claimsOf(token);
  const named = interviewIdOfToken(token);
  const names = named === undefined ? 'no session' : named === interviewId ? 'this session' : 'another session';
  return { isJwt: claims !== undefined, expires: typeof claims?.exp === 'number', names };
}

function claimsOf(token: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads with the token of one session and the id of another whose status and score differ. */
export async function tryForeignReads(trial: Trial, own: OwnSession, other: OwnSession): Promise<void> {
  const { seen } = trial;
  await attempt(trial, ['foreignStatus'], async () => {
    const [mine, theirs] = [await readStatus(trial, own), await readStatus(trial, other)].map(statusOf);
    const reply = await readStatus(trial, own, { id: other.interviewId });
    seen.foreignStatus = { reply, own: mine, other: theirs, told: statusOf(reply) };
  });
  await attempt(trial, ['foreignScore'], async () => {
    const [mine, theirs] = [await readScore(trial, own), await readScore(trial, other)].map(scoreStatusOf);
    const reply = await readScore(trial, own, other.interviewId);
    seen.foreignScore = { reply, own: mine, other: theirs, told: scoreStatusOf(reply) };
  });
}

/** With the executive token, about a session that has a score. */
export async function tryExecutiveScore(trial: Trial, session: OwnSession): Promise<void> {
  const { seen, executiveToken: token } = trial;
  if (token === undefined) return;
  await attempt(trial, ['executiveScore'], async () => {
    seen.executiveScore = await readScore(trial, { ...session, token });
  });
}

/** Incode reportedly allows a burst of 50 and 100 requests per second. */
const MAX_READS = 200;
const AT_ONCE = 25;

/** Reads until the first 429, then waits. */
export async function tryRateLimit(trial: Trial, session: OwnSession): Promise<void> {
  const { probe, seen, signal } = trial;
  if (!trial.tryRateLimit) {
    trial.whyNot.rateLimit = 'needs --try-rate-limit';
    return;
  }
  printNotice(`Reading a status up to ${MAX_READS} times to meet the rate limit`);
  await attempt(trial, ['rateLimit'], async () => {
    const read = { ...STATUS, query: { id: session.interviewId }, token: session.token, signal };
    let refusal: Reply | undefined;
    let sent = 0;
    while (sent < MAX_READS && !refusal) {
      const replies = await Promise.all(Array.from({ length: AT_ONCE }, () => probe.askAtOnce(read)));
      refusal = replies.find(({ status }) => status === 429);
      sent += AT_ONCE;
    }
    seen.rateLimit = { sent, refusal };
    if (refusal)
      await sleep(Math.min(parseRetryAfter(refusal.retryAfter, Date.now()) ?? CALM_MS, MAX_CALM_MS), undefined, {
        signal,
      });
  });
}

// The cleanup must not hit the limit.
const CALM_MS = 2_000;
const MAX_CALM_MS = 60_000;
