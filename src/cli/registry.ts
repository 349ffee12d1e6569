import type { Command } from 'commander';
import {
  CODEC_SERVER_PACKAGES,
  checkPeers,
  GATEWAY_PACKAGES,
  LOCAL_SERVER_PACKAGES,
  RECEIVER_PACKAGES,
  REPLAY_PACKAGES,
  WORKER_PACKAGES,
} from './shared/peers.js';
import { withLongerOption } from './shared/program.js';

/** A command's file defines its options and action. Only the requested command's file is loaded. */
export interface CommandModule {
  define(command: Command): void;
}

interface Listed {
  summary: string;
  load: () => Promise<CommandModule>;
  /** Optional peer dependencies that the command needs. @default none */
  needs?: readonly string[];
}

/** Every command, grouped by purpose. */
const GROUPS: Record<string, Record<string, Listed>> = {
  'One session': {
    complete: { summary: 'Complete one session and print its outcome', load: () => import('./commands/complete.js') },
    status: { summary: 'Print the state of a session or a person', load: () => import('./commands/status.js') },
    finish: { summary: 'Finish a waiting session now', load: () => import('./commands/finish.js') },
    'renew-token': { summary: 'Give a session a new token', load: () => import('./commands/renew-token.js') },
    'extend-deadline': { summary: "Extend a session's deadline", load: () => import('./commands/extend-deadline.js') },
    cancel: { summary: 'Stop the onboarding of a session', load: () => import('./commands/cancel.js') },
  },
  'One person': {
    'replace-image': {
      summary: 'Give a person another image',
      load: () => import('./commands/replace-image.js'),
    },
  },
  'Many sessions': {
    batch: { summary: 'Complete a list of sessions, from CSV or NDJSON', load: () => import('./commands/batch.js') },
    capture: {
      summary: 'Onboard people from images of documents and selfies',
      load: () => import('./commands/capture.js'),
    },
    list: { summary: 'List sessions by stage, outcome, batch or age', load: () => import('./commands/list.js') },
  },
  'Run it': {
    worker: {
      summary: 'Run a worker, configured by the environment',
      load: () => import('./commands/worker.js'),
      needs: WORKER_PACKAGES,
    },
    webhooks: {
      summary: "Receive Incode's webhooks and pass them to the sessions' workflows",
      load: () => import('./commands/webhooks.js'),
      needs: RECEIVER_PACKAGES,
    },
    gateway: {
      summary: 'Serve sessions, people and batches over HTTP, for callers in any language',
      load: () => import('./commands/gateway.js'),
      needs: GATEWAY_PACKAGES,
    },
    'codec-server': {
      summary: 'Decrypt payloads for the Web UI and the temporal CLI',
      load: () => import('./commands/codec-server.js'),
      needs: CODEC_SERVER_PACKAGES,
    },
    demo: {
      summary: 'Show sessions that survive failures, with a real server and a simulated Incode',
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
      summary: "Test this package's assumptions about Incode on your demo account",
      load: () => import('./commands/verify-incode.js'),
    },
    replay: {
      summary: 'Replay histories with this version before you deploy it',
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
 * Adds every command to the program. Adds options only to requested commands.
 *
 * @param isAsked whether to load a command's file
 */
export async function addCommands(program: Command, isAsked: (name: string) => boolean): Promise<void> {
  for (const [group, commands] of Object.entries(GROUPS)) {
    for (const [name, { summary, load, needs = [] }] of Object.entries(commands)) {
      const command = program.command(name).description(summary).helpGroup(`${group}:`).exitOverride();
      command.showHelpAfterError(`See: temporal-incode ${name} --help`);
      command.configureOutput({ outputError: (text, write) => write(withLongerOption(text, command.options)) });
      // Checked before the action, so that help works without the packages.
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
