import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy whose connections can be cut or stalled, and restored. A stalled connection stays open, but passes nothing on, as if the
 * network lost every packet.
 *
 * @param ownPort with 0 the system chooses a free port
 */
export async function startTcpProxy(target: string, ownPort = 0) {
  const [host, port] = target.split(':');
  const sockets = new Set<Socket>();
  const held = new Set<Socket>();
  const others = new WeakMap<Socket, Socket>();
  let isCut = false;
  let isStalled = false;
  const server = createServer((near) => {
    if (isCut) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .once('close', () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    others.set(near, far).set(far, near);
    near.pipe(far).pipe(near);
    if (isStalled) hold([near, far]);
  }).listen(ownPort, '127.0.0.1');
  await once(server, 'listening');
  function hold(some: Iterable<Socket>): void {
    for (const socket of some) {
      socket.unpipe();
      socket.pause();
      held.add(socket);
    }
  }
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    stall: () => {
      isStalled = true;
      hold(sockets);
    },
    mend: () => {
      isCut = false;
      isStalled = false;
      for (const socket of held) {
        const other = others.get(socket);
        if (other && !socket.destroyed) socket.pipe(other);
      }
      held.clear();
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
    },
  };
}
