import { type Client, isGrpcServiceError } from '@temporalio/client';
import { EncryptionKeyError } from '../codec/index.js';
import { TemporalIncodeError } from '../contract/index.js';
import { GRPC, grpcStatusName } from '../temporal/grpc.js';
import { addressOf, checkReachable, isClosed } from './connectivity.js';
import {
  ClientClosedError,
  NamespaceNotSetUpError,
  type TemporalProblem,
  TemporalRequestError,
  type TemporalTarget,
  TemporalUnavailableError,
} from './temporal-errors.js';

/** Runs requests to Temporal. @throws TemporalIncodeError for every failure */
export async function withTemporalErrors<T>(client: Client, request: () => Promise<T>): Promise<T> {
  try {
    await checkReachable(client);
    return await request();
  } catch (error) {
    throw temporalFailure(client, error);
  }
}

const NO_KEYS =
  'The data on the server is encrypted, and this process has no keys. Set TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE as for the workers.';

/** The SDK throws this if it reads encrypted data without our codec. */
function isEncrypted(error: unknown): boolean {
  return error instanceof Error && error.message === 'Unknown encoding: binary/encrypted';
}

/** Converts any error of a request into an error of this package. */
export function temporalFailure(client: Client, error: unknown): TemporalIncodeError {
  if (isEncrypted(error)) return new EncryptionKeyError(NO_KEYS);
  const address = addressOf(client) ?? 'its address';
  if (isClosed(client) && !(error instanceof TemporalIncodeError)) return new ClientClosedError({ address }, error);
  return failureAt({ address, namespace: client.options.namespace }, error);
}

/** @param wasSent whether a request was in flight, besides the attempt to connect */
export function failureAt(target: TemporalTarget, error: unknown, wasSent = true): TemporalIncodeError {
  if (error instanceof TemporalIncodeError) return error;
  const problem = problemOf(error);
  if (problem) return new TemporalUnavailableError(problem, target, error, wasSent);
  const grpc = grpcError(error);
  const reason = grpc ? reasonOf(grpc) : error instanceof Error ? error.message : String(error);
  const searchAttribute = grpc?.code === GRPC.invalidArgument ? missingSearchAttribute(reason) : undefined;
  if (searchAttribute) return new NamespaceNotSetUpError(target, searchAttribute, error);
  return new TemporalRequestError(target, grpc ? grpcStatusName(grpc.code) : null, reason, error);
}

/** For a request with several parts, only the message holds the reason. */
function reasonOf({ message }: GrpcError): string {
  return message.replace(/^\d+ [A-Z_]+: /, '');
}

/** The server names the attribute only in its message, which differs between a start, a query and a value of another type. */
function missingSearchAttribute(reason: string): string | undefined {
  if (!/search attribute|column name/i.test(reason)) return undefined;
  return /\bIncode(?:Stage|Outcome|BatchId)\b/.exec(reason)?.[0];
}

function problemOf(error: unknown): TemporalProblem | undefined {
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') return 'unknownNamespace';
  const grpc = grpcError(error);
  if (grpc?.code === GRPC.permissionDenied || grpc?.code === GRPC.unauthenticated) return 'refused';
  if (!isAway(error)) return undefined;
  return grpc?.code === GRPC.unavailable && grpc.details.includes('ECONNREFUSED') ? 'notListening' : 'away';
}

/** Statuses of a server that is unreachable or too busy. */
const AWAY = new Set<number>([
  GRPC.unknown,
  GRPC.deadlineExceeded,
  GRPC.resourceExhausted,
  GRPC.aborted,
  GRPC.unavailable,
]);

export function isAway(error: unknown): boolean {
  const grpc = grpcError(error);
  return grpc !== undefined && (AWAY.has(grpc.code) || isLostConnection(grpc) || isTaskFailure(grpc));
}

/** A killed server ends its streams with INTERNAL or CANCELLED. A caller who cancels also gets CANCELLED. */
function isLostConnection({ code, details }: GrpcError): boolean {
  if (code === GRPC.cancelled) return details !== 'Cancelled on client';
  return code === GRPC.internal && /RST_STREAM|without gRPC status/.test(details);
}

/**
 * Recognizes an update that failed with its worker: the worker died or could not continue the workflow. After several such
 * failures the server refuses updates at once. Another worker may accept the update.
 */
export function isTaskFailure({ code, details }: GrpcError): boolean {
  return (
    code === GRPC.failedPrecondition && /unexpected workflow task failure|Workflow Task in failed state/.test(details)
  );
}

/** The workflow has as many updates, unfinished or in all, as the server allows. A signal still gets through. */
export function isUpdateLimit({ code, details }: Pick<GrpcError, 'code' | 'details'>): boolean {
  return code === GRPC.resourceExhausted && /limit on .*updates/.test(details);
}

export interface GrpcError {
  code: number;
  details: string;
  message: string;
}

/** Finds a gRPC error, also as the cause of another error. */
export function grpcError(error: unknown): GrpcError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 3; at = at.cause, depth += 1) {
    if (isGrpcServiceError(at)) return at;
  }
  return undefined;
}
