import type { Command } from 'commander';

export function define(command: Command): void {
  command
    .addHelpText(
      'after',
      `
Configured by environment variables, which docs/worker.md lists. Required: INCODE_BASE_URL, and INCODE_API_KEY or INCODE_API_KEY_FILE.

Example:
  $ INCODE_BASE_URL=https://demo-api.incodesmile.com INCODE_API_KEY=… \\
      TEMPORAL_ADDRESS=localhost:7233 temporal-incode worker`,
    )
    .action(async () => {
      // `dev` and `demo` start a worker with an IPC channel. When they end, its server and Incode are gone too.
      if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
      // Loaded late, because it takes most of a second and --help does not need it.
      const { runWorker } = await import('../../worker.js');
      // Exit explicitly, because an abandoned activity would keep the process alive.
      process.exit(await runWorker());
    });
}
