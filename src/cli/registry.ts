import type { Command } from 'commander';
import {
  CODEC_SERVER_PACKAGES,
  checkPeers,
  LOCAL_SERVER_PACKAGES,
  RECEIVER_PACKAGES,
  REPLAY_PACKAGES,
  WORKER_PACKAGES,
} from './shared/peers.js';

/** A command's file defines its options and action; only the one that is asked for is loaded. */
export interface CommandModule {
  define(command: Command): void;
}

interface Listed {
  summary: string;
  load: () => Promise<CommandModule>;
  /** Optional peer dependencies that it cannot run without. @default none */
  needs?: readonly string[];
}

/** Every command, by what it is for. */
const GROUPS: Record<string, Record<string, Listed>> = {
  'One session': {
    complete: { summary: 'Complete one session and print its outcome', load: () => import('./commands/complete.js') },
    status: { summary: 'Print where a session stands', load: () => import('./commands/status.js') },
    finish: { summary: 'Ask a session that waits to be finished now', load: () => import('./commands/finish.js') },
    'renew-token': { summary: 'Hand a fresh token to a session', load: () => import('./commands/renew-token.js') },
    'extend-deadline': { summary: 'Let a session wait longer', load: () => import('./commands/extend-deadline.js') },
    cancel: { summary: 'Stop the onboarding of a session', load: () => import('./commands/cancel.js') },
  },
  'Many sessions': {
    batch: { summary: 'Complete a list of sessions, from CSV or NDJSON', load: () => import('./commands/batch.js') },
    list: { summary: 'List sessions by stage, outcome, batch or age', load: () => import('./commands/list.js') },
  },
  'Run it': {
    worker: {
      summary: 'Run a worker, configured by the environment',
      load: () => import('./commands/worker.js'),
      needs: WORKER_PACKAGES,
    },
    webhooks: {
      summary: "Receive Incode's webhooks and tell the sessions' workflows",
      load: () => import('./commands/webhooks.js'),
      needs: RECEIVER_PACKAGES,
    },
    'codec-server': {
      summary: 'Show the Web UI and the temporal CLI what is encrypted',
      load: () => import('./commands/codec-server.js'),
      needs: CODEC_SERVER_PACKAGES,
    },
    demo: {
      summary: 'Show it: a real server, a simulated Incode, and everything that can go wrong',
      load: () => import('./commands/demo.js'),
      needs: LOCAL_SERVER_PACKAGES,
    },
    dev: {
      summary: 'Run server, Web UI, simulated Incode and worker until Ctrl-C',
      load: () => import('./commands/dev.js'),
      needs: LOCAL_SERVER_PACKAGES,
    },
    simulator: { summary: 'Run a simulated Incode', load: () => import('./commands/simulator.js') },
  },
  'Operate it': {
    setup: { summary: 'Prepare a Temporal namespace', load: () => import('./commands/setup.js') },
    doctor: { summary: 'Check server, namespace, workers and Incode', load: () => import('./commands/doctor.js') },
    'verify-incode': {
      summary: 'Try on your demo account what this package assumes about Incode',
      load: () => import('./commands/verify-incode.js'),
    },
    replay: {
      summary: 'Replay histories with this version, before it is deployed',
      load: () => import('./commands/replay.js'),
      needs: REPLAY_PACKAGES,
    },
    completion: {
      summary: 'Print a script that completes commands in a shell',
      load: async () => {
        const { define } = await import('./commands/completion.js');
        return { define: (command) => define(command, (program) => addCommands(program, () => true)) };
      },
    },
  },
};

/**
 * Adds every command to the program, and its options to those that are asked for.
 *
 * @param isAsked whether a command's file is to be loaded
 */
export async function addCommands(program: Command, isAsked: (name: string) => boolean): Promise<void> {
  for (const [group, commands] of Object.entries(GROUPS)) {
    for (const [name, { summary, load, needs = [] }] of Object.entries(commands)) {
      const command = program.command(name).description(summary).helpGroup(`${group}:`).exitOverride();
      command.showHelpAfterError(`See: temporal-incode ${name} --help`);
      // Before its action, so that its help is there without them.
      command.hook('preAction', () => checkPeers(name, needs));
      if (isAsked(name)) (await load()).define(command);
    }
  }
}

/** @returns the command that the arguments name, if any */
export function askedCommand(args: string[]): string | undefined {
  const names = Object.values(GROUPS).flatMap(Object.keys);
  return args.find((arg) => names.includes(arg));
}
