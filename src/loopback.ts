/**
 * gRPC options for an address: grpc-js sends also what is meant for this machine through `http_proxy`, where no proxy can
 * reach it.
 */
export function channelArgsFor(address: string): Record<string, number> {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const isLoopback = host === 'localhost' || host === '::1' || /^127\./.test(host);
  return isLoopback ? { 'grpc.enable_http_proxy': 0 } : {};
}
