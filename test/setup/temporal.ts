import type { TestProject } from 'vitest/node';
import { installServer } from '../../scripts/install-server.js';
import { type LocalTemporalServer, startLocalTemporalServer } from '../../src/testing/server/index.js';

declare module 'vitest' {
  export interface ProvidedContext {
    temporalAddress: string;
    temporalNamespace: string;
  }
}

/** Vitest loads this file once per project, so the server of the run is a global. */
const run = globalThis as { temporalOfRun?: { server: Promise<LocalTemporalServer>; projects: number } };

/** Starts one Temporal server for the whole run. The run fails without a server, because a skipped test proves nothing. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  run.temporalOfRun ??= { server: start(), projects: 0 };
  const { temporalOfRun } = run;
  temporalOfRun.projects += 1;
  const server = await temporalOfRun.server;
  project.provide('temporalAddress', server.address);
  project.provide('temporalNamespace', server.namespace);
  return async () => {
    temporalOfRun.projects -= 1;
    if (temporalOfRun.projects > 0) return;
    delete run.temporalOfRun;
    await server.stop();
  };
}

async function start(): Promise<LocalTemporalServer> {
  const onProgress = (message: string) => process.stderr.write(`${message}\n`);
  await installServer(onProgress);
  const server = await startLocalTemporalServer({ timeSkipping: true, onProgress });
  process.stderr.write(`Temporal server ${server.version} (${server.source}) at ${server.address}\n`);
  return server;
}
