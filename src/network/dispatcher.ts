import { Agent, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';

/** URLs of proxies, http or https. The scheme of an address selects one; without `httpsProxy`, `httpProxy` serves https too. `noProxy` lists hosts to reach directly. */
export interface Proxies {
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
}

export interface DispatcherOptions {
  connections: number;
  connectTimeoutMs: number;
  proxy: Proxies;
}

/** A client's connections: kept alive, one request at a time on each, no retries, no redirects. */
export function createDispatcher({ connections, connectTimeoutMs, proxy }: DispatcherOptions): Dispatcher {
  const connect = { timeout: connectTimeoutMs };
  const common = {
    connections,
    // A second request on the same connection would be lost with the first.
    pipelining: 1,
    // The call's own timeout covers both, and knows how far the request got.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect,
  };
  const { httpProxy = '', httpsProxy = '', noProxy = '' } = proxy;
  if (!httpProxy && !httpsProxy) return new Agent(common);
  return new EnvHttpProxyAgent({
    ...common,
    // Empty strings keep undici from reading the environment. Only the configuration does that.
    httpProxy,
    httpsProxy,
    noProxy,
    // Connecting through a proxy takes three steps, and undici's `connect` covers none of them.
    proxyTls: connect,
    requestTls: connect,
    clientFactory: (origin, options) => tunnelPool(origin, { ...options, headersTimeout: connectTimeoutMs }),
  });
}

/**
 * undici reconnects at once after a lost connection (UND_ERR_SOCKET). While a tunnel is being opened this never ends: a proxy that
 * dropped CONNECT got thousands of requests a second, even after the call was over. With any other code the call fails.
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
