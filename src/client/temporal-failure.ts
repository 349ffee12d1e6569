import { type Client, isGrpcServiceError } from '@temporalio/client';
import { EncryptionKeyError } from '../codec/index.js';
import { rememberedAddress } from '../temporal/environment.js';
import { GRPC } from '../temporal/grpc.js';
import { TemporalUnavailableError } from './errors.js';

/** Makes a request to Temporal. @throws TemporalUnavailableError instead of gRPC's errors that speak of Temporal itself */
export async function asking<T>(client: Client, request: () => Promise<T>): Promise<T> {
  try {
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

/** @returns `undefined` for a `NativeConnection` that is not of a worker of ours: it does not tell */
export function addressOf({ connection }: Client): string | undefined {
  return (connection as { options?: { address?: string } }).options?.address ?? rememberedAddress(connection);
}

/** What gRPC says of Temporal itself, in our words; whatever else was thrown is passed on untouched. */
export function temporalFailure(client: Client, error: unknown): unknown {
  if (isEncrypted(error)) return new EncryptionKeyError(NO_KEYS);
  return unavailable({ address: addressOf(client) ?? 'its address', namespace: client.options.namespace }, error);
}

export function unavailable(where: { address: string; namespace: string }, error: unknown): unknown {
  const problem = problemOf(error);
  return problem ? new TemporalUnavailableError(problem, where, error) : error;
}

// gRPC's codes.

function problemOf(error: unknown): TemporalUnavailableError['problem'] | undefined {
  if (error instanceof TemporalUnavailableError) return undefined;
  if (error instanceof Error && error.name === 'NamespaceNotFoundError') return 'unknownNamespace';
  const code = grpcError(error)?.code;
  if (code === GRPC.permissionDenied || code === GRPC.unauthenticated) return 'refused';
  return isAway(error) ? 'away' : undefined;
}

/** gRPC's READY. */
const CONNECTED = 2;

/** Time ran out without a connection: then it says nothing of what was asked for. */
export function isDisconnected({ connection }: Client): boolean {
  // The SDK keeps it to itself, and a worker's connection has none.
  const channel = (connection as unknown as { client?: { getChannel?(): Channel } }).client?.getChannel?.();
  return channel !== undefined && channel.getConnectivityState(false) !== CONNECTED;
}

interface Channel {
  getConnectivityState(tryToConnect: boolean): number;
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
function isTaskFailure({ code, details }: GrpcError): boolean {
  return (
    code === GRPC.failedPrecondition && /unexpected workflow task failure|Workflow Task in failed state/.test(details)
  );
}

/** The workflow has as many updates, unfinished or in all, as the server allows. A signal still gets through. */
export function isUpdateLimit({ code, details }: GrpcError): boolean {
  return code === GRPC.resourceExhausted && /limit on .*updates/.test(details);
}

export interface GrpcError {
  code: number;
  details: string;
}

/** By itself, or wrapped by the SDK or by us. */
export function grpcError(error: unknown): GrpcError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 3; at = at.cause, depth += 1) {
    if (isGrpcServiceError(at)) return at;
  }
  return undefined;
}
