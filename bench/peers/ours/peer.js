import { join } from 'node:path';
import { startWorkerProcess } from '../../../dist/cli/local/worker-process.js';
import { completeBatch } from '../../../dist/client/index.js';
import { packages } from '../versions.js';

/** @param isFlushed whether its server flushes each commit */
export function ours({ incode, temporal, directory }, isFlushed = false) {
  let batches = 0;
  let results = 0;
  let failure;
  return {
    name: isFlushed ? 'temporal-incode, flushed' : 'temporal-incode, batch',
    durability: devServerDurability(isFlushed),
    isFlushed,
    versions: { ...packages('@temporalio/worker'), 'Temporal server': temporal.server.version },
    storePid: temporal.server.pid,
    share: 1,
    async startWorker() {
      const env = {
        INCODE_BASE_URL: incode.url,
        INCODE_API_KEY: incode.apiKey,
        INCODE_BULK_CONNECTIONS: String(incode.connections),
        TEMPORAL_ADDRESS: temporal.server.address,
      };
      return startWorkerProcess(env, join(directory, 'ours.log'));
    },
    async submit(sessions) {
      // The peers make one request a session, and read no status before.
      const options = { batchId: `peers-${batches++}`, plan: { score: false }, verifyFirst: 'trust' };
      const collect = async () => {
        for await (const { outcome } of completeBatch(temporal.onboarding, sessions, options)) {
          if (outcome !== 'approved') throw new Error(`A session ended as ${outcome}`);
          results += 1;
        }
      };
      // It goes on while the benchmark waits, and says there what went wrong.
      collect().catch((error) => {
        failure = error;
      });
    },
    async results() {
      if (failure) throw failure;
      return results;
    },
    close: async () => undefined,
  };
}

/** Of all who use it. It names whatever the others' servers were not given. */
export function devServerDurability(isFlushed = false) {
  const file = isFlushed
    ? '(WAL, synchronous=FULL, a flush per commit): a power cut loses nothing'
    : '(WAL, synchronous=NORMAL, no flush per commit): a power cut loses the last moments';
  return `Temporal's dev server (GOGC=${process.env.GOGC}), SQLite file ${file}`;
}
