import { defineConfig } from 'vitest/config';
import { COVERAGE, UNIT_TEST_FILES } from './vitest.pure.config.js';

/** Limits for tests that hang, far above what a test takes on a busy machine. */
const TEST_TIMEOUT_MS = 600_000;
const LONG_TEST_TIMEOUT_MS = 1_200_000;
const POLL_TIMEOUT_MS = 300_000;

/** These unit tests replace or reload a module that other files in the same process may have loaded. */
const OWN_PROCESS = [
  'test/activities/lease.test.ts',
  'test/activities/standstill.test.ts',
  'test/workflows/batch/possibly-sent.test.ts',
  'test/workflows/earlier-requests.test.ts',
  'test/workflows/record.test.ts',
];

/**
 * Tests that take long: they kill or freeze processes, install or bundle packages, wait for real timeouts, fill histories, or try every
 * message, failure, answer and order of events.
 * `npm test` leaves them out; `npm run test:all` and `.ci/run` run them.
 */
const LONG = [
  'test/campaign/campaign.test.ts',
  'test/cli/batch-kills.test.ts',
  'test/cli/demo.test.ts',
  'test/cli/verify-incode.test.ts',
  'test/client/true-errors.test.ts',
  'test/codec/encrypted-histories.test.ts',
  'test/codec/foreign-worker.test.ts',
  'test/codec/people.test.ts',
  'test/codec/unknown-keys.test.ts',
  'test/console/accessibility.test.ts',
  'test/console/batches.test.ts',
  'test/console/console.test.ts',
  'test/deploys/deploys.test.ts',
  'test/embedding/embedding.test.ts',
  'test/examples/child-workflow.test.ts',
  'test/examples/foreign-worker.test.ts',
  'test/examples/web-services.test.ts',
  'test/faults/answers.test.ts',
  'test/faults/batch-crashes.test.ts',
  'test/faults/capture-crashes.test.ts',
  'test/faults/capture-stages.test.ts',
  'test/faults/clocks.test.ts',
  'test/faults/crashes.test.ts',
  'test/faults/frozen-worker.test.ts',
  'test/faults/memory.test.ts',
  'test/faults/once.test.ts',
  'test/faults/shared-batches.test.ts',
  'test/faults/shutdown.test.ts',
  'test/faults/swapped-tokens.test.ts',
  'test/faults/two-workers.test.ts',
  'test/faults/webhooks.test.ts',
  'test/languages/gateway-client.test.ts',
  'test/languages/python.test.ts',
  'test/monitoring/health.test.ts',
  'test/nexus/encryption.test.ts',
  'test/ops/chart.test.ts',
  'test/ops/compose.test.ts',
  'test/ops/dockerfile.test.ts',
  'test/ops/image.test.ts',
  'test/package/api.test.ts',
  'test/package/light-install.test.ts',
  'test/secrets/linear-time.property.test.ts',
  'test/testing/server/server.test.ts',
  'test/upgrades/sdk.test.ts',
  'test/worker/capture-rate-limits.test.ts',
  'test/worker/image-places.test.ts',
  'test/worker/rate-limit.test.ts',
  'test/worker/secrets.test.ts',
  'test/workflows/batch/claims.test.ts',
  'test/workflows/batch/continue-as-new.test.ts',
  'test/workflows/batch/hang.test.ts',
  'test/workflows/batch/large-answers.test.ts',
  'test/workflows/batch/reset.test.ts',
  'test/workflows/batch/shared-sessions.test.ts',
  'test/workflows/capture-batch/capture-batch.test.ts',
  'test/workflows/capture-batch/continue-as-new.test.ts',
  'test/workflows/capture/lost-answers.test.ts',
  'test/workflows/capture/opening-session.test.ts',
  'test/workflows/capture/purge.test.ts',
  'test/workflows/capture/refused-images.test.ts',
  'test/workflows/continue-as-new.test.ts',
  'test/workflows/executive.test.ts',
  'test/workflows/failures-by-stage.test.ts',
  'test/workflows/hints.test.ts',
  'test/workflows/many-signals.test.ts',
  'test/workflows/messages.test.ts',
  'test/workflows/months.test.ts',
  'test/workflows/query-between.test.ts',
  'test/workflows/unreadable.test.ts',
];

// Loading the SDKs takes longer than the tests of most files, so files share loaded modules. Each closes what it opens and restores what
// it changes.
const SHARED_PROCESS = { isolate: false };

/** These tests need the Temporal server of the run. */
const WITH_SERVER = {
  ...SHARED_PROCESS,
  globalSetup: ['test/setup/temporal.ts'],
  setupFiles: ['test/setup/runtime.ts'],
};

/**
 * Temporal's client repeats a call whose connection was closed meanwhile, and throws where nobody can catch it. Tests that close a server
 * while calls are in flight leave such calls behind. Programs of ours end their process instead.
 */
function isRetryAfterClose({ message, stack = '' }: { message?: string; stack?: string }): boolean {
  return message === 'Channel has been shut down' && stack.includes('grpc-retry');
}

export default defineConfig({
  test: {
    onUnhandledError: (error) => !isRetryAfterClose(error),
    // The worker's native code does not support worker threads.
    pool: 'forks',
    // Half of the time, a test waits for Temporal or for a timer. More at a time load the modules more often than they save.
    maxWorkers: 4,
    // Programs that npx started print commands with npx. The result must not depend on how the tests were started.
    env: { npm_command: '' },
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: TEST_TIMEOUT_MS,
    expect: { poll: { timeout: POLL_TIMEOUT_MS } },
    coverage: COVERAGE,
    // Vitest runs them in the order of their names, so that no long file is the last one.
    projects: [
      { extends: true, test: { ...WITH_SERVER, name: 'long', include: LONG, testTimeout: LONG_TEST_TIMEOUT_MS } },
      {
        extends: true,
        test: {
          ...WITH_SERVER,
          name: 'server',
          include: ['test/**/*.test.ts'],
          exclude: [UNIT_TEST_FILES, ...LONG],
        },
      },
      {
        extends: true,
        test: { ...SHARED_PROCESS, name: 'unit', include: [UNIT_TEST_FILES], exclude: OWN_PROCESS },
      },
      { extends: true, test: { name: 'unit-own-process', include: OWN_PROCESS } },
    ],
  },
});
