/** Whether an address, with or without a port, is on this machine, so that traffic to it crosses no network. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether requests to this URL, with their keys and tokens, would cross a network unencrypted. */
export function isPlainHttp(url: string): boolean {
  const { protocol, host } = new URL(url);
  return protocol === 'http:' && !isLoopback(host);
}
