import { GATEWAY_SCOPES, type GatewayScope } from '../contract/gateway-settings.js';

export interface Operation {
  method: 'GET' | 'POST' | 'DELETE';
  /** With parameters as in OpenAPI. */
  path: string;
  /** One of these scopes is enough. */
  scopes: readonly GatewayScope[];
  /** Its query parameters. Every other one is refused, because it may be a misspelled one. */
  query?: readonly string[];
}

const FOLLOW = ['read', 'start'] as const;
const HAND_IN = ['start', 'operate'] as const;

const WAIT = ['timeout'] as const;
const PEOPLE_FILTER = ['stage', 'status', 'batch', 'cursor', 'limit'] as const;
const SESSION_FILTER = ['outcome', ...PEOPLE_FILTER] as const;
const BATCH_OPTIONS = ['format', 'batchId', 'retryFailed', 'close', 'score', 'scoreDeadline'] as const;

/** Every operation, and who may do it. The names are the operation ids of OpenAPI and appear in the audit log. */
export const OPERATIONS = {
  about: { method: 'GET', path: '/v1/about', scopes: GATEWAY_SCOPES },
  getOverview: { method: 'GET', path: '/v1/overview', scopes: ['read'] },
  startSession: { method: 'POST', path: '/v1/sessions', scopes: ['start'] },
  listSessions: { method: 'GET', path: '/v1/sessions', scopes: ['read'], query: SESSION_FILTER },
  getSession: { method: 'GET', path: '/v1/sessions/{interviewId}', scopes: FOLLOW },
  finishSession: { method: 'POST', path: '/v1/sessions/{interviewId}/finish', scopes: ['start'], query: WAIT },
  renewToken: { method: 'POST', path: '/v1/sessions/{interviewId}/token', scopes: HAND_IN, query: WAIT },
  extendDeadline: { method: 'POST', path: '/v1/sessions/{interviewId}/deadline', scopes: ['operate'], query: WAIT },
  cancelSession: { method: 'DELETE', path: '/v1/sessions/{interviewId}', scopes: ['operate'] },
  startBatch: { method: 'POST', path: '/v1/batches', scopes: ['start'], query: BATCH_OPTIONS },
  listBatches: { method: 'GET', path: '/v1/batches', scopes: ['read'], query: ['status'] },
  getBatch: { method: 'GET', path: '/v1/batches/{batchId}', scopes: FOLLOW },
  getBatchResults: {
    method: 'GET',
    path: '/v1/batches/{batchId}/results',
    scopes: FOLLOW,
    query: ['format', 'partial'],
  },
  pauseBatch: { method: 'POST', path: '/v1/batches/{batchId}/pause', scopes: ['operate'] },
  resumeBatch: { method: 'POST', path: '/v1/batches/{batchId}/resume', scopes: ['operate'] },
  stopBatch: { method: 'POST', path: '/v1/batches/{batchId}/stop', scopes: ['operate'] },
  startPerson: { method: 'POST', path: '/v1/people', scopes: ['start'] },
  listPeople: { method: 'GET', path: '/v1/people', scopes: ['read'], query: PEOPLE_FILTER },
  getPerson: { method: 'GET', path: '/v1/people/{reference}', scopes: FOLLOW },
  replaceImage: { method: 'POST', path: '/v1/people/{reference}/image', scopes: HAND_IN, query: WAIT },
  cancelPerson: { method: 'DELETE', path: '/v1/people/{reference}', scopes: ['operate'] },
  watchEvents: { method: 'GET', path: '/v1/events', scopes: ['read'], query: ['session', 'batch'] },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof OPERATIONS;
