#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { CliError, EXIT } from './exit.js';
import { checkPeers, LOCAL_SERVER_PACKAGES, WORKER_PACKAGES } from './peers.js';

/** A command's file defines its options and action; only the one that is asked for is loaded. */
export interface CommandModule {
  define(command: Command): void;
}

interface Entry {
  summary: string;
  load: () => Promise<CommandModule>;
  /** Optional peer dependencies that it cannot run without. @default none */
  needs?: readonly string[];
}

const COMMANDS: Record<string, Entry> = {
  demo: {
    summary: 'Show it: a real server, a simulated Incode, and everything that can go wrong',
    load: () => import('./demo.js'),
    needs: LOCAL_SERVER_PACKAGES,
  },
  dev: {
    summary: 'Run server, Web UI, simulated Incode and worker until Ctrl-C',
    load: () => import('./dev.js'),
    needs: LOCAL_SERVER_PACKAGES,
  },
  worker: {
    summary: 'Run a worker, configured by the environment',
    load: () => import('./worker.js'),
    needs: WORKER_PACKAGES,
  },
  webhooks: {
    summary: "Receive Incode's webhooks and tell the sessions' workflows",
    load: () => import('./webhooks.js'),
  },
  complete: { summary: 'Complete one session and print its outcome', load: () => import('./complete.js') },
  batch: {
    summary: 'Complete a list of sessions, from CSV or NDJSON',
    load: () => import('./batch.js'),
  },
  status: { summary: 'Print where a session stands', load: () => import('./status.js') },
  simulator: { summary: 'Run a simulated Incode', load: () => import('./simulator.js') },
};

const EXIT_CODES = `
Exit codes:
  ${EXIT.ok}  done
  ${EXIT.failed}  Incode refused the session for good, or something unexpected happened
  ${EXIT.usage}  wrong usage, input or configuration; nothing was started
  ${EXIT.pending}  not done yet, it goes on at the server
  ${EXIT.notFound}  no such onboarding
  ${EXIT.completedBefore}  completed before, nothing was done
  ${EXIT.someFailed}  the batch is done, some of its sessions failed
  ${EXIT.interrupted}  interrupted`;

async function main(args: string[]): Promise<void> {
  const program = new Command('temporal-incode')
    .description('Completes Incode onboarding sessions durably, with Temporal.')
    .version(version())
    .exitOverride()
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', `${EXIT_CODES}\n\nExample:\n  $ temporal-incode demo`);
  const asked = args.find((arg) => Object.hasOwn(COMMANDS, arg));
  for (const [name, { summary, load, needs = [] }] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(summary).exitOverride();
    // Before its action, so that its help is there without them.
    command.hook('preAction', () => checkPeers(name, needs));
    if (name === asked) (await load()).define(command);
  }
  await program.parseAsync(args, { from: 'user' });
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its message already; help and version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  return EXIT.failed;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // What is still being started is not waited for.
  if (process.exitCode === EXIT.interrupted) process.exit();
}
