/** Whether an address, with or without a port, is one of this machine: what is sent to it crosses no network. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether requests to an http or https URL, keys and tokens in them, cross a network unencrypted. */
export function isPlainHttp(url: string): boolean {
  const { protocol, host } = new URL(url);
  return protocol === 'http:' && !isLoopback(host);
}
