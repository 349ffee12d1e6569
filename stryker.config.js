// Mutation tests of the files that decide about a session: a change that no unit test notices fails the run.
export default {
  // These files decide whether a session is finished twice, how long it waits, how it ends, and whose webhook counts.
  mutate: [
    'src/activities/batch/circuit-breaker.ts',
    'src/activities/batch/shared-throttle.ts',
    'src/activities/finish-once.ts',
    'src/incode/classification.ts',
    'src/incode/retry-after.ts',
    'src/webhook/authentication.ts',
    'src/webhook/parse-delivery.ts',
    'src/webhook/results.ts',
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
  // A timeout on a busy machine must not count as noticed: none of these files has a loop.
  timeoutMS: 120_000,
  // Stryker would use the compiler's API to rewrite paths, which our tsconfig.json does not have. TypeScript 7 has no such API.
  tsconfigFile: 'none',
  // Inside the checkout, so that node_modules are found.
  tempDirName: '.cache/stryker',
  allowConsoleColors: false,
};
