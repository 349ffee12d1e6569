/**
 * gRPC options for an address: grpc-js sends also what is meant for this machine through `http_proxy`, where no proxy can
 * reach it.
 */
export function channelArgsFor(address: string): Record<string, number> {
  return isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {};
}

/** Whether an address, with or without a port, is one of this machine. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
