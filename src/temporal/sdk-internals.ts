/**
 * Everything that this package uses of Temporal's SDK without it being part of the SDK's documented API. An SDK upgrade that changes
 * one of these breaks here, and `test/temporal/sdk-internals.test.ts` says which. Seen in 1.24.0.
 */

// Payload bytes: the codec writes metadata as bytes, and the SDK's own helpers avoid a second UTF-8 implementation.
export { decode, encode } from '@temporalio/common/lib/encoding.js';
// The start input and a pending call's last failure are read from the server as encoded payloads. The client has no public method for it.
export {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
// Durations and times of raw gRPC requests, for calls that the SDK's client does not wrap.
export { msToNumber, msToTs } from '@temporalio/common/lib/time.js';

/** Updates of a workflow that has ended fail with NOT_FOUND, like those of one that never existed: only the text differs. */
export function saysAlreadyCompleted(message: string): boolean {
  return /already completed/.test(message);
}

/** The address in grpc-js's text for a refused connection. It has no field for it. */
export function refusedAddress(details: string): { host: string; port: number } | undefined {
  const [, host, port] = /ECONNREFUSED (\S+):(\d+)/.exec(details) ?? [];
  return host && port ? { host, port: Number(port) } : undefined;
}

/** The gRPC client inside the SDK's `Connection`, which alone knows whether the server is connected. A `NativeConnection` has none. */
export interface GrpcClient {
  getChannel(): GrpcChannel;
  makeUnaryRequest(
    path: string,
    serialize: (bytes: Buffer) => Buffer,
    deserialize: (bytes: Buffer) => Buffer,
    request: Buffer,
    options: { deadline: number },
    callback: (error: { details?: string } | null) => void,
  ): void;
}

export interface GrpcChannel {
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(current: number, deadline: number, callback: (error?: Error) => void): void;
}

export function grpcClientOf(connection: object): GrpcClient | undefined {
  const { client } = connection as { client?: Partial<GrpcClient> };
  return client?.getChannel ? (client as GrpcClient) : undefined;
}
