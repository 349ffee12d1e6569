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

export default defineConfig({
  test: {
    // The worker's native code does not survive worker threads.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_TIMEOUT_MS } },
    projects: [
      {
        extends: true,
        test: {
          name: 'shared-process',
          include: ['test/**/*.test.ts'],
          exclude: OWN_PROCESS,
          // Loading the SDKs takes longer than the tests of most files, so files share what is loaded. Each closes what it opens and
          // restores what it changes.
          isolate: false,
          globalSetup: ['test/setup/temporal.ts'],
          setupFiles: ['test/setup/runtime.ts'],
        },
      },
      { extends: true, test: { name: 'own-process', include: OWN_PROCESS } },
    ],
  },
});
