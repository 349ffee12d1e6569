import { isLoopback } from '../network/loopback.js';

/**
 * gRPC options for an address: grpc-js sends also what is meant for this machine through `http_proxy`, where no proxy can
 * reach it.
 */
export function channelArgsFor(address: string): Record<string, number> {
  return isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {};
}
