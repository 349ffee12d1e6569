import { isLoopback } from '../network/loopback.js';

/**
 * Addresses of Temporal Cloud: a namespace's, a region's, and AWS PrivateLink's.
 * {@link https://docs.temporal.io/cloud/namespaces | Temporal's documentation}
 */
const CLOUD = /\.(tmprl\.cloud|api\.temporal\.io|vpce\.amazonaws\.com)(:\d+)?$/;

/** On Temporal Cloud, some settings need Cloud's own command instead of the server's API. */
export function isCloudAddress(address: string): boolean {
  return CLOUD.test(address);
}

/**
 * gRPC options for an address. grpc-js sends even loopback traffic through `http_proxy`, but a proxy cannot reach this machine's
 * loopback.
 */
export function channelArgsFor(address: string): Record<string, number> {
  return isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {};
}
