// Sends deliveries from a process of its own, as Incode does, so that the receiver's answers are measured and not our own
// waiting. Gets one order by message, answers with what came of it, and waits for the next.
import { Pool } from 'undici';

process.on('message', async ({ url, headers, deliveries, perSecond, atATime, seconds }) => {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: CONNECTIONS });
  const startedAt = performance.now();
  const outcome = { latencies: [], statuses: {} };

  /** @param since when it was due: what a sender that is held up sends late counts as late */
  const send = async (delivery, since) => {
    const status = await post(pool, pathname, headers, delivery).catch((error) => error.code ?? 'failed');
    outcome.latencies.push(performance.now() - since);
    outcome.statuses[status] = (outcome.statuses[status] ?? 0) + 1;
  };
  if (perSecond) await openLoop(deliveries, perSecond, send);
  else await closedLoop(deliveries, atATime, seconds, send);

  const elapsedMs = performance.now() - startedAt;
  await pool.close();
  process.send({ ...outcome, elapsedMs });
});

/** As many as the simulator has, and other senders of webhooks. */
const CONNECTIONS = 50;

async function post(pool, path, headers, delivery) {
  const response = await pool.request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(delivery),
  });
  await response.body.dump();
  return response.statusCode;
}

/** At a fixed rate, whatever the answers do. */
async function openLoop(deliveries, perSecond, send) {
  const startedAt = performance.now();
  const underWay = [];
  for (const [i, delivery] of deliveries.entries()) {
    const due = startedAt + (i * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    underWay.push(send(delivery, due));
  }
  await Promise.all(underWay);
}

/** The next one as soon as an answer comes, so many at a time. */
async function closedLoop(deliveries, atATime, seconds, send) {
  const end = performance.now() + seconds * 1_000;
  let next = 0;
  const lane = async () => {
    while (performance.now() < end) await send(deliveries[next++ % deliveries.length], performance.now());
  };
  await Promise.all(Array.from({ length: atATime }, lane));
}
