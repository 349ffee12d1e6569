#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { MAX_CAUSES } from '../secrets/error-chain.js';
import { redacted } from '../secrets/index.js';
import { addCommands, askedCommand } from './registry.js';
import { CliError, EXIT } from './shared/exit.js';
import { fillParagraphs, HELP } from './shared/help.js';
import { printableLines } from './shared/output.js';
import { asTyped } from './shared/program.js';
import { endQuietly } from './shared/signals.js';
import { packageVersion } from './shared/version.js';

const EXIT_CODES = `
Exit codes:
  ${EXIT.ok}  done
  ${EXIT.failed}  Incode refused the session, a check failed, or an unexpected error occurred
  ${EXIT.usage}  wrong usage, input or configuration; nothing was done
  ${EXIT.pending}  not done yet, continues on the server
  ${EXIT.notFound}  no such onboarding
  ${EXIT.completedBefore}  the onboarding has already ended, nothing was done
  ${EXIT.someFailed}  the batch is done, but some of its sessions failed
  ${EXIT.interrupted}  interrupted`;

/** Commander also wraps options at 80 columns when there is no terminal. */
const width = () => (process.stdout.isTTY ? process.stdout.columns : 80);

async function main(args: string[]): Promise<void> {
  const program = new Command('temporal-incode')
    .description('Completes Incode onboarding sessions durably, with Temporal.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('See: temporal-incode --help')
    .configureHelp(HELP)
    .configureOutput({
      writeOut: (text) => process.stdout.write(asTyped(fillParagraphs(text, width()))),
      writeErr: (text) => process.stderr.write(asTyped(text)),
    })
    .addHelpText('after', `${EXIT_CODES}\n\nExample:\n  $ temporal-incode demo`);
  const asked = askedCommand(args);
  // The group of commander's own command, help.
  program.commandsGroup('Operate it:').helpCommand(true);
  await addCommands(program, (name) => name === asked);
  await program.parseAsync(args, { from: 'user' });
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its message already; help and version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof CliError) {
    process.stderr.write(`${shown(error.message)}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${shown(inWords(error))}\n`);
  return EXIT.failed;
}

/** Redacted and printable, because a message may contain text from a server. */
function shown(message: string): string {
  return asTyped(printableLines(redacted(message)));
}

/** The error and its causes, without their fields, because a library's error may hold secrets there. */
function inWords(error: unknown, causesLeft = MAX_CAUSES): string {
  if (!(error instanceof Error)) return String(error);
  const isShown = error.cause !== undefined && causesLeft > 0;
  const cause = isShown ? `\nCaused by ${inWords(error.cause, causesLeft - 1)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

// By default Node prints the error with all its fields, which may hold secrets.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${shown(inWords(error))}\n`);
  process.exit(EXIT.failed);
});
endQuietly();
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Do not wait for anything that is still starting.
  if (process.exitCode === EXIT.interrupted) process.exit();
}
