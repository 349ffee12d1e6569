// A simulated Incode in a process of its own. Opens sessions when it is told, and says how often each was finished, and how many
// calls it has answered.
import { subscribe } from 'node:diagnostics_channel';
import { startIncodeSimulator } from '../../dist/testing/index.js';

const [apiKey, latencyMs] = process.argv.slice(2);
const simulator = await startIncodeSimulator({ apiKeys: [apiKey], latencyMs: Number(latencyMs) });

let answered = 0;
subscribe('http.server.response.finish', () => {
  answered += 1;
});

process.on('message', async ({ open, faultEvery, timesFinished, calls }) => {
  if (calls) {
    process.send({ calls: answered });
    return;
  }
  if (timesFinished) {
    const times = timesFinished.map((interviewId) => simulator.effects(interviewId).finished);
    process.send({ times });
    return;
  }
  const sessions = [];
  for (let index = 0; index < open; index++) {
    const { interviewId, token } = await simulator.openSession();
    sessions.push({ interviewId, sessionToken: token });
    if (faultEvery && index % faultEvery === 0) {
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503 });
    }
  }
  process.send({ sessions });
});
// It ends with the benchmark, however that ends.
process.on('disconnect', () => process.exit());
process.send({ url: simulator.url });
