import { connect } from 'node:net';
import type { Client } from '@temporalio/client';
import { rememberedAddress } from '../temporal/environment.js';
import { type GrpcClient, grpcClientOf, refusedAddress } from '../temporal/sdk-internals.js';
import { ClientClosedError, TemporalUnavailableError } from './temporal-errors.js';

type TemporalConnection = Client['connection'];

/** gRPC's connectivity states. */
const STATE = { ready: 2, transientFailure: 3, shutdown: 4 } as const;

/** @returns `undefined` for a `NativeConnection` that this package did not create, because it does not expose its address */
export function addressOf({ connection }: Pick<Client, 'connection'>): string | undefined {
  return (connection as { options?: { address?: string } }).options?.address ?? rememberedAddress(connection);
}

/** A timeout without a connection says nothing about the request. */
export function isDisconnected({ connection }: Client): boolean {
  const channel = grpcClientOf(connection)?.getChannel();
  return channel !== undefined && channel.getConnectivityState(false) !== STATE.ready;
}

export function isClosed({ connection }: Client): boolean {
  return grpcClientOf(connection)?.getChannel().getConnectivityState(false) === STATE.shutdown;
}

/** Connecting to a running server takes milliseconds. After this time the SDK's retries take over. */
const FIRST_CONNECT_MS = 5_000;

const connectedOnce = new WeakSet<TemporalConnection>();

/**
 * Waits until the connection is established for the first time. Does nothing afterwards, because the SDK's retries handle server
 * restarts.
 *
 * @throws TemporalUnavailableError at once if nothing is listening at the address
 * @throws ClientClosedError
 */
export async function checkReachable(client: Client, deadline = Number.POSITIVE_INFINITY): Promise<void> {
  const { connection, options } = client;
  const address = addressOf(client) ?? 'its address';
  if (isClosed(client)) throw new ClientClosedError({ address });
  if (connectedOnce.has(connection)) return;
  const isRefused = await isConnectionRefused(connection, Math.min(deadline, Date.now() + FIRST_CONNECT_MS));
  if (isRefused) {
    throw new TemporalUnavailableError('notListening', { address, namespace: options.namespace }, undefined, false);
  }
}

/** @returns `false` as soon as the connection is ready or fails in another way, at the latest at the deadline */
export async function isConnectionRefused(connection: TemporalConnection, deadline: number): Promise<boolean> {
  const grpc = grpcClientOf(connection);
  if (!grpc) return false;
  const channel = grpc.getChannel();
  for (;;) {
    const state = channel.getConnectivityState(true);
    if (state === STATE.ready) connectedOnce.add(connection);
    if (state === STATE.ready || state === STATE.shutdown) return false;
    if (state === STATE.transientFailure) return isRefusedNow(await lastError(grpc));
    const isOver = await new Promise<boolean>((resolve) => {
      channel.watchConnectivityState(state, deadline, (error) => resolve(error !== undefined));
    });
    if (isOver) return false;
  }
}

/** Sends a health check, because only a failed request reveals the connection's last error. */
function lastError(grpc: GrpcClient): Promise<string> {
  const unchanged = (bytes: Buffer) => bytes;
  const options = { deadline: Date.now() + 1_000 };
  return new Promise((resolve) => {
    grpc.makeUnaryRequest('/grpc.health.v1.Health/Check', unchanged, unchanged, Buffer.alloc(0), options, (error) =>
      resolve(error?.details ?? ''),
    );
  });
}

/** Tries the port once more, because gRPC's last error may be old. */
async function isRefusedNow(error: string): Promise<boolean> {
  const address = refusedAddress(error);
  if (!address) return false;
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 1_000 });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    socket.once('connect', () => socket.destroy()).once('timeout', () => socket.destroy());
    socket.once('close', () => resolve(false));
  });
}
