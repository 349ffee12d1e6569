// A simulated Incode in a process of its own. Opens sessions when it is told, and says how often each was finished.
import { startIncodeSimulator } from '../../dist/testing/index.js';

const [apiKey, latencyMs] = process.argv.slice(2);
const simulator = await startIncodeSimulator({ apiKeys: [apiKey], latencyMs: Number(latencyMs) });

process.on('message', async ({ open, faultEvery, timesFinished }) => {
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
process.send({ url: simulator.url });
