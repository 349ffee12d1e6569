import type { TestProject } from 'vitest/node';
import { startLocalTemporalServer } from '../../src/testing/server/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalAddress: string;
    temporalNamespace: string;
  }
}

/** Starts one Temporal server for the whole run. The run fails without a server, because a skipped test proves nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startLocalTemporalServer({
    timeSkipping: true,
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  process.stderr.write(`Temporal server ${server.version} (${server.source}) at ${server.address}\n`);
  project.provide('temporalAddress', server.address);
  project.provide('temporalNamespace', server.namespace);
  return () => server.stop();
}
