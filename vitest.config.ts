import { defineConfig } from 'vitest/config';

/** Far above what any test takes on a busy machine: limits for what hangs. */
const TEST_TIMEOUT_MS = 600_000;
const POLL_TIMEOUT_MS = 120_000;

/** They replace a module, which files in the same process have loaded already. None needs a server. */
const OWN_PROCESS = [
  'test/workflows/batch/possibly-sent.test.ts',
  'test/workflows/earlier-requests.test.ts',
  'test/workflows/record.test.ts',
];

/** Minutes of kills, installations and real waits. `npm test` leaves them out; `npm run test:all` and `.ci/run` run them. */
const LONG = ['test/campaign/campaign.test.ts', 'test/faults/batch-crashes.test.ts', 'test/faults/memory.test.ts'];

/** They need the Temporal server of the run, and can share a process. */
const SHARED_PROCESS = {
  // Loading the SDKs takes longer than the tests of most files, so files share what is loaded. Each closes what it opens and
  // restores what it changes.
  isolate: false,
  globalSetup: ['test/setup/temporal.ts'],
  setupFiles: ['test/setup/runtime.ts'],
};

export default defineConfig({
  test: {
    // The worker's native code does not survive worker threads.
    pool: 'forks',
    maxWorkers: 3,
    // Programs under test print commands as npx needs them if npx started them. Who started the tests must not matter.
    env: { npm_command: '' },
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_TIMEOUT_MS } },
    projects: [
      {
        extends: true,
        test: {
          ...SHARED_PROCESS,
          name: 'shared-process',
          include: ['test/**/*.test.ts'],
          exclude: [...OWN_PROCESS, ...LONG],
        },
      },
      { extends: true, test: { name: 'own-process', include: OWN_PROCESS } },
      { extends: true, test: { ...SHARED_PROCESS, name: 'long', include: LONG } },
    ],
  },
});
