import { STATUS_CODES } from 'node:http';

/** An answer before it is written. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** Incode's error body: `timestamp` in ms; `status` is the HTTP status, or a code of Incode's own. */
export function errorAnswer(status: number, message: string, path: string, headers?: Record<string, string>): Answer {
  const body = { timestamp: Date.now(), status, error: reasonOf(status), message, path };
  return { status, body, ...(headers ? { headers } : {}) };
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
