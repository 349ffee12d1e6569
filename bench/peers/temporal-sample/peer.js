import { forEach } from '../../lib/world.js';
import { startModule } from '../child.js';
import { devServerDurability } from '../ours/peer.js';
import { packages } from '../versions.js';

const TASK_QUEUE = 'peers-sample';

export function temporalSample({ incode, temporal, directory }) {
  const { client, server } = temporal;
  return {
    name: "Temporal's sample style",
    durability: devServerDurability(),
    isFlushed: false,
    versions: { ...packages('@temporalio/worker'), 'Temporal server': server.version },
    storePid: server.pid,
    // It takes some fifty times as long.
    share: 1 / 40,
    startWorker: () =>
      startModule(
        new URL('worker.js', import.meta.url),
        { address: server.address, taskQueue: TASK_QUEUE, incode },
        directory,
      ),
    async submit(sessions) {
      await forEach(sessions, 100, ({ interviewId, sessionToken }) =>
        client.workflow.start('completeSession', {
          workflowId: `sample/${interviewId}`,
          taskQueue: TASK_QUEUE,
          args: [{ interviewId, sessionToken }],
        }),
      );
    },
    async results() {
      const { count } = await client.workflow.count(`TaskQueue = '${TASK_QUEUE}' AND ExecutionStatus = 'Completed'`);
      return count;
    },
    close: async () => undefined,
  };
}
