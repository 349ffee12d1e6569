/**
 * Every undocumented part of Temporal's SDK that code outside workflows relies on, as of SDK 1.24.0. If an upgrade changes one of them,
 * `test/temporal/sdk-internals.test.ts` fails.
 */

// The codec writes payload metadata as UTF-8 bytes.
export { decode, encode } from '@temporalio/common/lib/encoding.js';
// Decode a start's input and a pending call's last failure. The client has no public method for that.
export {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
} from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
// Convert durations and times in gRPC requests that the SDK's client does not wrap.
export { msToNumber, msToTs } from '@temporalio/common/lib/time.js';

/** An update fails with NOT_FOUND both if its workflow has ended and if it never existed. Only the text differs. */
export function saysAlreadyCompleted(message: string): boolean {
  return /already completed/.test(message);
}

/** Reads the address from grpc-js's text for a refused connection, which has no field for it. */
export function refusedAddress(details: string): { host: string; port: number } | undefined {
  const [, host, port] = /ECONNREFUSED (\S+):(\d+)/.exec(details) ?? [];
  return host && port ? { host, port: Number(port) } : undefined;
}

/** The gRPC client inside the SDK's `Connection`. Only it knows whether the server is connected. A `NativeConnection` has none. */
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

interface GrpcChannel {
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(current: number, deadline: number, callback: (error?: Error) => void): void;
}

export function grpcClientOf(connection: object): GrpcClient | undefined {
  const { client } = connection as { client?: Partial<GrpcClient> };
  return client?.getChannel ? (client as GrpcClient) : undefined;
}
