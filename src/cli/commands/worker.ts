import type { Command } from 'commander';

export function define(command: Command): void {
  command
    .addHelpText(
      'after',
      `
The environment configures it. Required: INCODE_BASE_URL, and INCODE_API_KEY or INCODE_API_KEY_FILE. Every variable: docs/worker.md

Example:
  $ INCODE_BASE_URL=https://demo-api.incodesmile.com INCODE_API_KEY=… TEMPORAL_ADDRESS=localhost:7233 temporal-incode worker`,
    )
    .action(async () => {
      // Started by `dev` or `demo`: without them the worker has no server and no Incode either.
      if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
      // Loaded only now: it takes most of a second, and --help does without.
      const { runWorker } = await import('../../worker.js');
      // An activity that was given up would keep the process alive.
      process.exit(await runWorker());
    });
}
