import { STATUS_CODES } from 'node:http';
import type { SimulatorBehavior } from './behavior.js';
import type { Clock } from './clock.js';

/** An answer before it is written. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** Makes a refusal of one request. */
export type Refuse = (status: number, message: string, headers?: Record<string, string>) => Answer;

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** With Incode's error body: `timestamp` in ms; `status` is the HTTP status, or a code of Incode's own. */
export function refuserOf(clock: Clock, path: string, { errorBody }: SimulatorBehavior): Refuse {
  return (status, message, headers) => {
    if (errorBody === 'html') return htmlAnswer(status, headers);
    if (errorBody === 'empty') return { status, body: '', ...(headers ? { headers } : {}) };
    const body = { timestamp: clock.now(), status, error: reasonOf(status), message, path };
    return { status, body, ...(headers ? { headers } : {}) };
  };
}

/** As gateways answer, which know nothing of Incode's error body. */
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
