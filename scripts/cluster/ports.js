import { freePort } from '../../dist/testing/server/process.js';

/** The server keeps the ports of nodes in a column of two bytes with a sign. */
const [LOWEST, HIGHEST] = [20_000, 32_767];

const taken = new Set();

/** @returns three free ports that no other node has got */
export async function nodePorts() {
  return { port: await lowPort(), membershipPort: await lowPort(), httpPort: await lowPort() };
}

async function lowPort() {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (taken.has(port)) continue;
    taken.add(port);
    const isFree = await freePort(port).then(
      () => true,
      () => false,
    );
    if (isFree) return port;
  }
}
