import { startModule } from '../child.js';
import { packages } from '../versions.js';

/** What everything is measured by: no durability at all. After a kill somebody has to run it again from the start. */
export function bareLoop({ incode, directory }) {
  let worker;
  let results = 0;
  const submit = async (sessions) => worker.send({ sessions });
  return {
    name: 'bare undici loop',
    durability: 'none: results are in memory',
    isFlushed: false,
    versions: packages('undici'),
    share: 1,
    async startWorker() {
      worker = await startModule(new URL('worker.js', import.meta.url), incode, directory);
      worker.onMessage((message) => {
        results += message.results;
      });
      return worker;
    },
    submit,
    results: async () => results,
    afterKill: submit,
    close: async () => undefined,
  };
}
