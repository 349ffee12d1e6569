import { createWorker, readConfig } from 'temporal-incode/worker';

// A worker with an activity that ignores its cancellation. It runs in a separate process, because it never ends.

const worker = await createWorker(readConfig(process.env), {
  interceptors: {
    activity: [
      () => ({
        inbound: {
          execute: () => {
            process.stdout.write('asked\n');
            return new Promise(() => undefined);
          },
        },
      }),
    ],
  },
});
try {
  await worker.run();
} catch (error) {
  process.stdout.write(`${(error as Error).name}\n`);
  process.exit(1);
}
