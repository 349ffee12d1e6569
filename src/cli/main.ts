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
  ${EXIT.failed}  Incode refused the session for good, a check failed, or something unexpected happened
  ${EXIT.usage}  wrong usage, input or configuration; nothing was done
  ${EXIT.pending}  not done yet, it goes on at the server
  ${EXIT.notFound}  no such onboarding
  ${EXIT.completedBefore}  ended before, nothing was done
  ${EXIT.someFailed}  the batch is done, some of its sessions failed
  ${EXIT.interrupted}  interrupted`;

/** As commander takes it for options: 80 columns where no terminal is. */
const width = () => (process.stdout.isTTY ? process.stdout.columns : 80);

async function main(args: string[]): Promise<void> {
  const program = new Command('temporal-incode')
    .description('Completes Incode onboarding sessions durably, with Temporal.')
    .version(packageVersion())
    .exitOverride()
    .configureHelp(HELP)
    .configureOutput({
      writeOut: (text) => process.stdout.write(asTyped(fillParagraphs(text, width()))),
      writeErr: (text) => process.stderr.write(asTyped(text)),
    })
    .addHelpText('after', `${EXIT_CODES}\n\nExample:\n  $ temporal-incode demo`);
  const asked = askedCommand(args);
  // Where commander puts its own command, help.
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

/** Text of a server may stand in a message. */
function shown(message: string): string {
  return asTyped(printableLines(redacted(message)));
}

/** With the causes, and without the fields of either: in a library's there may be anything. */
function inWords(error: unknown, causesLeft = MAX_CAUSES): string {
  if (!(error instanceof Error)) return String(error);
  const isShown = error.cause !== undefined && causesLeft > 0;
  const cause = isShown ? `\nCaused by ${inWords(error.cause, causesLeft - 1)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}

// Node would print the error with all its fields.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${shown(inWords(error))}\n`);
  process.exit(EXIT.failed);
});
endQuietly();
try {
  await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // What is still being started is not waited for.
  if (process.exitCode === EXIT.interrupted) process.exit();
}
