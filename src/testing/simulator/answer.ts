import { STATUS_CODES } from 'node:http';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { SimulatorBehavior } from './behavior.js';
import type { Clock } from './clock.js';

/** An answer before it is written. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** Creates the refusal of a request. */
export type Refuse = (status: number, message: string, headers?: Record<string, string>) => Answer;

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Refusals have Incode's error body. Its `timestamp` is in ms, and its `status` is the HTTP status or a code of Incode. */
export function refuserOf(clock: Clock, path: string, { errorBody }: SimulatorBehavior): Refuse {
  return (status, message, headers) => {
    if (errorBody === 'html') return htmlAnswer(status, headers);
    if (errorBody === 'empty') return { status, body: '', ...omitUndefined({ headers }) };
    const body = { timestamp: clock.now(), status, error: reasonOf(status), message, path };
    return { status, body, ...omitUndefined({ headers }) };
  };
}

/** The answer of a gateway, which does not use Incode's error body. */
export function htmlAnswer(status: number, headers: Record<string, string> | undefined): Answer {
  const title = `${status} ${reasonOf(status)}`;
  const body = `<html><head><title>${title}</title></head><body><center><h1>${title}</h1></center></body></html>`;
  return { status, body, headers: { ...headers, 'content-type': 'text/html' } };
}

function reasonOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

export function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(body || '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
