import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from '../lib/report.js';
import { startServer } from '../lib/world.js';

const WORKER = fileURLToPath(new URL('list-worker.js', import.meta.url));

/**
 * Runs a list of people twice, with workflows that answer at once. The second run attaches, and reads all images again.
 *
 * @param capture runs `temporal-incode capture` with arguments and variables
 */
export async function runList(directory, manifest, capture) {
  const world = await startServer();
  try {
    await startAnswering(world);
    const args = [manifest, '--out', join(directory, 'results.csv'), '--json'];
    say('Starting the list');
    const started = await capture(args, world.server.env);
    say('Attaching to it');
    const attached = await capture(args, world.server.env);
    return { server: world.server, started, attached };
  } finally {
    await world.stop();
  }
}

async function startAnswering({ server, stops }) {
  const child = fork(WORKER, { env: { ...process.env, ...server.env } });
  stops.push(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await once(child, 'message');
}
