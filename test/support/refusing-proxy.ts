import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';

export interface RefusingProxy {
  address: string;
  close(): void;
}

/** A proxy that forwards gRPC calls, but refuses those of one service with PERMISSION_DENIED. */
export async function startRefusingProxy(target: string, service: string): Promise<RefusingProxy> {
  const upstream = connect(`http://${target}`);
  const proxy = createServer();
  proxy.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (String(headers[':path']).startsWith(`/${service}/`)) {
      const refusal = {
        'content-type': 'application/grpc',
        'grpc-status': '7',
        'grpc-message': 'Request unauthorized.',
      };
      stream.respond({ ':status': 200, ...refusal }, { endStream: true });
      return;
    }
    const call = upstream.request(headers);
    let trailers: IncomingHttpHeaders = {};
    call.on('error', () => stream.close());
    call.on('response', (answered) => {
      // A failure has no body, and its status is in the headers.
      const isAll = answered['grpc-status'] !== undefined;
      stream.respond(answered, isAll ? { endStream: true } : { waitForTrailers: true });
    });
    call.on('trailers', (last) => {
      trailers = last;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.pipe(call).pipe(stream);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    address: `127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close() {
      upstream.destroy();
      proxy.close();
    },
  };
}
