import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The worker's native code does not survive worker threads.
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: ['test/setup/temporal.ts'],
    // Far above what any test takes: a limit for what hangs, not a measure.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The same; its own is one second, which a loaded machine needs for a single step.
    expect: { poll: { timeout: 30_000 } },
  },
});
