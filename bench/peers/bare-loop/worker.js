import { setTimeout } from 'node:timers/promises';
import { finisher } from '../finish.js';

const settings = JSON.parse(process.argv[2]);
const finish = finisher(settings);

async function finishAtLast(session) {
  for (;;) {
    try {
      return await finish(session);
    } catch {
      await setTimeout(1_000);
    }
  }
}

process.on('message', async ({ sessions }) => {
  const left = sessions.values();
  let results = 0;
  const lane = async () => {
    for (const session of left) {
      await finishAtLast(session);
      results += 1;
    }
  };
  await Promise.all(Array.from({ length: settings.connections }, lane));
  process.send({ results });
});
process.send('ready');
