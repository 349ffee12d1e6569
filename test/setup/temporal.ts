import type { TestProject } from 'vitest/node';
import { startLocalTemporalServer } from '../../src/testing/server/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalAddress: string;
    temporalNamespace: string;
  }
}

/** One Temporal server for the whole run. Without one the run fails: a test that was skipped proves nothing. */
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
