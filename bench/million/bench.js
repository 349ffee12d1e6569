import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startWorkerProcess } from '../../dist/cli/local/worker-process.js';
import { memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { rounded } from '../lib/statistics.js';
import { sleep, startServer, workerEnvironment } from '../lib/world.js';

const SESSIONS = 1_000_000;
const AT_ONCE = 20_000;
const CLIENT_MB = 300;
const WORKER_MB = 600;
const API_KEY = 'bench';
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** A list of a million sessions through the command line, as an operator runs it: what client and worker take of memory. */
export async function run() {
  const world = await startServer();
  try {
    const incode = fork(fileURLToPath(new URL('../batch/incode.js', import.meta.url)), [API_KEY, '0']);
    world.stops.push(() => incode.kill());
    const [{ url }] = await once(incode, 'message');
    const list = join(world.directory, 'sessions.csv');
    await writeList(incode, list);
    const env = workerEnvironment(world.server, { url, apiKey: API_KEY });
    const worker = await startWorkerProcess(env, join(world.directory, 'worker.log'));
    world.stops.push(() => worker.stop());
    const figures = await complete(list, join(world.directory, 'results.csv'), env, worker);
    printTable(`${SESSIONS} sessions from a CSV`, Object.keys(figures), [Object.values(figures)]);
    const { version, source } = world.server;
    const target = (what, most) => ({
      what: `memory of the ${what}, at the highest`,
      target: `under ${most} MB`,
      measured: `${figures[`${what} MB`]} MB`,
      met: figures[`${what} MB`] < most,
    });
    return {
      server: { version, source },
      settings: { SESSIONS },
      results: figures,
      targets: [
        target('client', CLIENT_MB),
        target('worker', WORKER_MB),
        {
          what: 'rows of the results that are approved',
          target: `${SESSIONS}`,
          measured: `${figures.approved}`,
          met: figures.approved === SESSIONS,
        },
      ],
    };
  } finally {
    await world.stop();
  }
}

async function writeList(incode, path) {
  const file = createWriteStream(path);
  file.write('interviewId,sessionToken\n');
  for (let opened = 0; opened < SESSIONS; opened += AT_ONCE) {
    incode.send({ open: Math.min(AT_ONCE, SESSIONS - opened) });
    const [{ sessions }] = await once(incode, 'message');
    const lines = sessions.map(({ interviewId, sessionToken }) => `${interviewId},${sessionToken}\n`);
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

async function complete(list, out, env, worker) {
  const begun = performance.now();
  const args = [MAIN, 'batch', list, '--out', out, '--no-score', '--json'];
  const client = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  let clientMb = 0;
  let said = 0;
  const exited = once(client, 'exit');
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  while (!isOver) {
    // It is gone with the process.
    clientMb = Math.max(clientMb, memoryMb(client.pid).highest ?? 0);
    if (performance.now() - said > 30_000) {
      said = performance.now();
      say(`${rounded((said - begun) / 1_000)} s: client ${clientMb} MB, worker ${memoryMb(worker.pid).highest} MB`);
    }
    await sleep(200);
  }
  const [code] = await exited;
  if (code !== 0) throw new Error(`The batch ended with exit code ${code}`);
  const seconds = (performance.now() - begun) / 1_000;
  let approved = 0;
  for await (const line of createInterface(createReadStream(out))) approved += Number(line.includes(',approved,'));
  return {
    approved,
    'client MB': clientMb,
    'worker MB': memoryMb(worker.pid).highest,
    seconds: rounded(seconds),
    'sessions per s': rounded(SESSIONS / seconds),
  };
}
