// Changes what decides over a session, bit by bit, and runs the unit tests each time: a change that no test notices fails the run.
export default {
  // Decides whether a session is completed twice, how long it waits, and how it ends.
  mutate: [
    'src/activities/batch/circuit-breaker.ts',
    'src/activities/batch/shared-throttle.ts',
    'src/activities/finish-once.ts',
    'src/incode/classification.ts',
    'src/incode/retry-after.ts',
    'src/workflows/decide.ts',
    'src/workflows/earlier-requests.ts',
    'src/workflows/batch/possibly-sent.ts',
    'src/workflows/batch/record.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.pure.config.ts' },
  thresholds: { high: 100, low: 100, break: 100 },
  reporters: ['clear-text'],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  concurrency: 2,
  // A busy machine is no killer: none of these files has a loop.
  timeoutMS: 120_000,
  // It would have the compiler's API rewrite paths that our tsconfig.json does not have; TypeScript 7 has no such API.
  tsconfigFile: 'none',
  // In the checkout, because node_modules are found from there.
  tempDirName: '.cache/stryker',
  allowConsoleColors: false,
};
