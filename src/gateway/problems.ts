import {
  AnswerPendingError,
  BatchDetachedError,
  BatchMismatchError,
  BatchNotFoundError,
  BatchShardError,
  ClientClosedError,
  EncryptionKeyError,
  InvalidInputError,
  NamespaceNotSetUpError,
  PersonDiffersError,
  PersonEndedError,
  PersonFailedError,
  PersonHasSessionError,
  PersonImageUnusableError,
  PersonNotFoundError,
  PersonPendingError,
  PersonTooManyWaitingError,
  PersonWrongStageError,
  PlanMismatchError,
  SessionCompletedError,
  SessionEndedError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalConfigurationError,
  TemporalRequestError,
  TemporalUnavailableError,
  TooManyWaitingError,
  WrongStageError,
} from '../client/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import type { Problem } from './types.js';

/** Problems that the gateway itself finds. All others are named as the client's errors. */
export const GATEWAY_PROBLEMS = {
  BadRequest: { status: 400, title: 'The request is not valid HTTP' },
  Unauthorized: { status: 401, title: 'No valid token' },
  Forbidden: { status: 403, title: 'The token does not permit this' },
  NotFound: { status: 404, title: 'Nothing at this path' },
  MethodNotAllowed: { status: 405, title: 'The path has no such method' },
  BatchUnfinished: { status: 409, title: 'The batch is not done' },
  RequestTimeout: { status: 408, title: 'The body did not arrive in time' },
  ContentTooLarge: { status: 413, title: 'The body is too large' },
  UnsupportedMediaType: { status: 415, title: 'The body has another type' },
  MisdirectedRequest: { status: 421, title: 'The request names another host' },
  TooManyRequests: { status: 429, title: 'Too many requests' },
  HeadersTooLarge: { status: 431, title: 'The headers are too large' },
  InternalError: { status: 500, title: 'A defect in the gateway' },
  TooManyListeners: { status: 503, title: 'Too many listeners' },
  GatewayStopping: { status: 503, title: 'The gateway is stopping' },
  InsufficientStorage: { status: 507, title: 'No room for the list' },
} as const;

export type GatewayProblemName = keyof typeof GATEWAY_PROBLEMS;

/** Refuses a request. The message goes to the caller and never repeats a secret. */
export class GatewayProblem extends Error {
  override readonly name: GatewayProblemName;
  readonly headers: Record<string, string>;
  readonly field: string | undefined;

  constructor(
    name: GatewayProblemName,
    message: string,
    { headers = {}, field }: { headers?: Record<string, string>; field?: string } = {},
  ) {
    super(message);
    this.name = name;
    this.headers = headers;
    this.field = field;
  }
}

interface Kind {
  status: number;
  title: string;
  /** The message is for operators, so the caller gets this text. */
  detail?: string;
  /** Repeating the request after some seconds may succeed. */
  retry?: true;
}

const OPERATORS_STATUS = 500;
const OPERATOR = 'The gateway cannot answer until its operator has corrected its settings. Its log says which.';
const AWAY = 'Temporal does not answer. Repeat the request: it has no effect twice.';

type ErrorClass = abstract new (...args: never[]) => Error;

/** Every error of the client, and its status. */
const KINDS: [error: ErrorClass, kind: Kind][] = [
  [InvalidInputError, { status: 400, title: 'The request is invalid' }],
  [SessionNotFoundError, { status: 404, title: 'The session has no onboarding' }],
  [BatchNotFoundError, { status: 404, title: 'No such batch' }],
  [PersonNotFoundError, { status: 404, title: 'No such person' }],
  [SessionCompletedError, { status: 409, title: 'The session is completed already' }],
  [SessionEndedError, { status: 409, title: 'The onboarding has ended' }],
  [WrongStageError, { status: 409, title: 'The stage does not allow this' }],
  [PlanMismatchError, { status: 409, title: 'The onboarding has another plan' }],
  [BatchMismatchError, { status: 409, title: 'The batch has another list or plan' }],
  [BatchShardError, { status: 409, title: 'A part of the batch has ended without results' }],
  [PersonDiffersError, { status: 409, title: 'The person was started with another request' }],
  [PersonHasSessionError, { status: 409, title: 'The person has a session' }],
  [PersonEndedError, { status: 409, title: 'The onboarding has ended' }],
  [PersonWrongStageError, { status: 409, title: 'The stage does not allow this' }],
  [SessionFailedError, { status: 422, title: 'The onboarding ended without a result' }],
  [PersonFailedError, { status: 422, title: 'The onboarding ended without a result' }],
  [PersonImageUnusableError, { status: 422, title: 'The image cannot be used' }],
  [TooManyWaitingError, { status: 429, title: 'Too many requests wait for this session', retry: true }],
  [PersonTooManyWaitingError, { status: 429, title: 'Too many requests wait for this person', retry: true }],
  [NamespaceNotSetUpError, { status: 500, title: 'The gateway is not set up', detail: OPERATOR }],
  [EncryptionKeyError, { status: 500, title: 'The gateway is not set up', detail: OPERATOR }],
  [TemporalConfigurationError, { status: 500, title: 'The gateway is not set up', detail: OPERATOR }],
  [TemporalRequestError, { status: 502, title: 'Temporal refuses the request', detail: OPERATOR }],
  [TemporalUnavailableError, { status: 503, title: 'Temporal is not available', detail: AWAY, retry: true }],
  [ClientClosedError, { status: 503, title: 'The gateway is stopping', detail: AWAY, retry: true }],
  [BatchDetachedError, { status: 503, title: 'The list was handed over in part', retry: true }],
  [AnswerPendingError, { status: 504, title: 'No answer in time', retry: true }],
  [PersonPendingError, { status: 504, title: 'No answer in time', retry: true }],
];

export const RETRY_AFTER = { 'retry-after': '5' };

/** What to answer to a request that failed. */
export interface ProblemAnswer {
  problem: Problem;
  headers: Record<string, string>;
  /** Whether the log needs the error itself, because the answer does not say everything. */
  isLogged: boolean;
}

export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof GatewayProblem) {
    const { name, message, field, headers } = error;
    const { status, title } = GATEWAY_PROBLEMS[name];
    return { problem: problem(name, status, title, message, omitUndefined({ field })), headers, isLogged: false };
  }
  const found = KINDS.find(([kind]) => error instanceof kind)?.[1];
  if (!found) {
    const { status, title } = GATEWAY_PROBLEMS.InternalError;
    const detail = 'Something unexpected happened. The log of the gateway has the error.';
    return { problem: problem('InternalError', status, title, detail, {}), headers: {}, isLogged: true };
  }
  const { name, message } = error as Error;
  // A caller cannot change the gateway's credentials or namespace.
  const isOperators = error instanceof TemporalUnavailableError && !error.retryable;
  const detail = isOperators ? OPERATOR : (found.detail ?? message);
  return {
    problem: problem(
      name,
      isOperators ? OPERATORS_STATUS : found.status,
      found.title,
      detail,
      membersOf(error as Error),
    ),
    headers: found.retry && !isOperators ? RETRY_AFTER : {},
    isLogged: found.detail !== undefined,
  };
}

/** Every problem with each status that it may have, for `docs/gateway.md`. */
export function problemStatuses(): [name: string, status: number][] {
  return [
    ...Object.entries(GATEWAY_PROBLEMS).map(([name, { status }]): [string, number] => [name, status]),
    ...KINDS.map(([{ name }, { status }]): [string, number] => [name, status]),
    [TemporalUnavailableError.name, OPERATORS_STATUS],
  ];
}

function problem(name: string, status: number, title: string, detail: string, members: Partial<Problem>): Problem {
  return { type: `urn:temporal-incode:${name}`, title, status, detail, ...members };
}

/** Fields of the client's errors that are for callers. */
const MEMBERS = [
  'field',
  'interviewId',
  'batchId',
  'reference',
  'shard',
  'stage',
  'waitingFor',
  'hasWorker',
  'differs',
  'plan',
  'side',
  'problem',
  'handedOver',
  'rows',
] as const;

function membersOf(error: Error): Partial<Problem> {
  const fields = error as Error & Record<string, unknown>;
  // `problem` of this error describes the gateway's connection.
  const names = error instanceof TemporalUnavailableError ? [] : MEMBERS;
  const members = Object.fromEntries(
    names.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
  );
  return typeof fields.type === 'string' ? { ...members, failure: fields.type } : members;
}
