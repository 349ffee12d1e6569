import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import type { CheckedOptions } from './options.js';

/** The connections of one client: kept alive, one request at a time on each, nothing repeated, no redirect followed. */
export function createDispatcher({ connections, connectTimeoutMs, proxy }: CheckedOptions): Dispatcher {
  const connect = { timeout: connectTimeoutMs };
  const common = {
    connections,
    // One request at a time on a connection: a second one would share the fate of the first.
    pipelining: 1,
    // The call's own deadline covers both, and tells what the request's fate is.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect,
  };
  const { httpProxy = '', httpsProxy = '', noProxy = '' } = proxy;
  if (!httpProxy && !httpsProxy) return new Agent(common);
  return new EnvHttpProxyAgent({
    ...common,
    // Empty strings keep undici from reading the environment, which is config.ts's affair.
    httpProxy,
    httpsProxy,
    noProxy,
    // The way through a proxy has three steps, and undici's `connect` covers none of them.
    proxyTls: connect,
    requestTls: connect,
    clientFactory: (origin, options) => tunnelPool(origin, { ...options, headersTimeout: connectTimeoutMs }),
  });
}

/**
 * undici takes a lost connection (UND_ERR_SOCKET) for one that a new connection mends, and connects again at once. While
 * a tunnel is being made that never ends: a proxy that drops CONNECT was asked thousands of times a second, even after the
 * call was over. Under any other code the call fails.
 */
function tunnelPool(origin: URL, options: Pool.Options): Pool {
  const pool = new Pool(origin, options);
  const connect: (to: Dispatcher.ConnectOptions) => Promise<Dispatcher.ConnectData> = pool.connect.bind(pool);
  const connectOnce = (to: Dispatcher.ConnectOptions) =>
    connect(to).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'UND_ERR_SOCKET') throw error;
      throw Object.assign(new Error('The proxy closed the connection'), { code: 'PROXY_CLOSED_CONNECTION' });
    });
  pool.connect = connectOnce as Pool['connect'];
  return pool;
}
