import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A way to a server that passes only the first bytes of each connection's answers.
 *
 * @param ending what happens then: nothing more, or the connection ends
 */
export async function startStallingProxy(target: string, bytes: number, ending: 'stall' | 'cut') {
  const [host, port] = target.split(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    let left = bytes;
    far.on('data', (chunk: Buffer) => {
      if (left > 0) near.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) return;
      if (ending === 'cut') near.end();
      far.pause();
    });
    near.pipe(far);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .once('close', () => {
          near.destroy();
          far.destroy();
        });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
