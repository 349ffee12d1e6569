import { isLoopback } from '../network/loopback.js';

/**
 * gRPC options for an address. grpc-js sends even loopback traffic through `http_proxy`, but a proxy cannot reach this machine's
 * loopback.
 */
export function channelArgsFor(address: string): Record<string, number> {
  return isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {};
}
