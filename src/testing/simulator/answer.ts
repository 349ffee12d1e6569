import { STATUS_CODES } from 'node:http';
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
export function refuserOf(clock: Clock, path: string): Refuse {
  return (status, message, headers) => {
    const body = { timestamp: clock.now(), status, error: reasonOf(status), message, path };
    return { status, body, ...(headers ? { headers } : {}) };
  };
}

export function reasonOf(status: number): string {
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
