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

/** Makes requests to Temporal. @throws TemporalIncodeError whatever goes wrong */
export async function withTemporalErrors<T>(client: Client, request: () => Promise<T>): Promise<T> {
  try {
    await checkReachable(client);
    return await request();
  } catch (error) {
    throw temporalFailure(client, error);
  }
}

const NO_KEYS =
  'What the server has is encrypted, and there are no keys here. Set TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE as the workers have it.';

/** The SDK meets our codec's encoding where there is no codec. */
function isEncrypted(error: unknown): boolean {
  return error instanceof Error && error.message === 'Unknown encoding: binary/encrypted';
}

/** Every error of a request as one of this package's. */
export function temporalFailure(client: Client, error: unknown): TemporalIncodeError {
  if (isEncrypted(error)) return new EncryptionKeyError(NO_KEYS);
  const address = addressOf(client) ?? 'its address';
  if (isClosed(client) && !(error instanceof TemporalIncodeError)) return new ClientClosedError({ address }, error);
  return failureAt({ address, namespace: client.options.namespace }, error);
}

/** @param wasSent whether a request was under way, besides the attempt to connect */
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

/** The SDK puts the reason of a request with several parts into the message only. */
function reasonOf({ message }: GrpcError): string {
  return message.replace(/^\d+ [A-Z_]+: /, '');
}

/** The server names it in words only, and in other words for a start, a query and a value of another type. */
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

/** The server is away, or too busy. */
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

/** A server that is killed ends its streams as INTERNAL or CANCELLED; a caller who cancels gets the latter too. */
function isLostConnection({ code, details }: GrpcError): boolean {
  if (code === GRPC.cancelled) return details !== 'Cancelled on client';
  return code === GRPC.internal && /RST_STREAM|without gRPC status/.test(details);
}

/**
 * FAILED_PRECONDITION for an update: the worker that was to take it died, or could not go on with the workflow, once, or several
 * times so that the server does not even try; another one may.
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

/** By itself, or wrapped by the SDK or by us. */
export function grpcError(error: unknown): GrpcError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 3; at = at.cause, depth += 1) {
    if (isGrpcServiceError(at)) return at;
  }
  return undefined;
}
