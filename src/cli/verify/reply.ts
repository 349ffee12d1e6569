import { isFinished } from '../../contract/index.js';
import { correctOnboardingStatus } from '../../contract/milestones.js';
import { classify } from '../../incode/classification.js';
import type { IncodeErrorKind } from '../../incode/errors.js';
import type { Answered } from '../../incode/exchange.js';
import { readObject } from '../../incode/responses.js';

/** An answer from Incode. Print only chosen fields, because others may hold tokens and personal data. */
export interface Reply {
  status: number;
  /** Fields of the body; empty if it is not a JSON object. */
  fields: Record<string, unknown>;
  body: 'JSON' | 'other JSON' | 'empty' | 'not JSON';
  /** How the package classifies the HTTP status; `undefined` for a possible success. */
  kind: IncodeErrorKind | undefined;
  /** Whether the package accepts the body as an answer, rather than as an error with status 200. */
  isAnswer: boolean;
  date: string | undefined;
  retryAfter: string | undefined;
  ms: number;
}

export function replyOf(outcome: Answered, ms: number): Reply {
  const { status, body, date, retryAfter } = outcome;
  return {
    status,
    ...parsed(body),
    kind: classify(outcome),
    isAnswer: readObject(body) !== undefined,
    date,
    retryAfter,
    ms,
  };
}

function parsed(body: string): Pick<Reply, 'fields' | 'body'> {
  if (body.trim() === '') return { fields: {}, body: 'empty' };
  try {
    const value: unknown = JSON.parse(body.replace(/^\uFEFF/, ''));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { fields: value as Record<string, unknown>, body: 'JSON' } : { fields: {}, body: 'other JSON' };
  } catch {
    return { fields: {}, body: 'not JSON' };
  }
}

export function isSuccess({ kind, isAnswer }: Reply): boolean {
  return kind === undefined && isAnswer;
}

export function textOf({ fields }: Reply, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function statusOf(reply: Reply): string | undefined {
  return textOf(reply, 'onboardingStatus');
}

/** The status of a session's score. */
export function scoreStatusOf({ fields: { overall } }: Reply): string | undefined {
  const status =
    typeof overall === 'object' && overall !== null ? (overall as Record<string, unknown>).status : undefined;
  return typeof status === 'string' && status !== '' ? status : undefined;
}

export function isScoreReady(reply: Reply): boolean {
  return isSuccess(reply) && ![undefined, 'UNKNOWN'].includes(scoreStatusOf(reply));
}

export function isFinishedStatus(status: string | undefined): boolean {
  return status !== undefined && isFinished(correctOnboardingStatus(status));
}

/** Text from Incode for the table: short, printable, and quoted so that spaces are visible. */
export function quoted(text: string | undefined): string {
  if (text === undefined) return 'none';
  const printable = text.replace(/[^\x20-\x7e]/g, '?');
  const short = printable.length > 40 ? `${printable.slice(0, 37)}...` : printable;
  return /^\w+$/.test(short) ? short : `"${short}"`;
}
