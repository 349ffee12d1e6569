import type { Command } from 'commander';
import { checkedToken } from '../../client/input.js';
import { printJson } from '../shared/output.js';
import {
  onSession,
  sessionCliError,
  type UpdateCommandOptions,
  withSession,
  withUpdateOptions,
} from '../shared/session.js';
import { readSessionToken } from '../shared/session-token.js';

interface RenewTokenOptions extends UpdateCommandOptions {
  sessionTokenFile: string;
}

export function define(command: Command): void {
  withUpdateOptions(command, 'print what was done as JSON')
    .option('--session-token-file <file>', "file with the session's new token; - reads it from stdin", '-')
    .addHelpText(
      'after',
      `
A session in the stage needsToken continues at once. Any other session uses the token for its next call.
The token is read from a file or stdin, never from an argument, because others can see arguments in the process list.

Examples:
  $ temporal-incode renew-token 5f3a… --session-token-file token.txt
  $ vault read -field=token incode/5f3a… | temporal-incode renew-token 5f3a…`,
    )
    .action(onSession(renewToken));
}

async function renewToken(options: RenewTokenOptions): Promise<void> {
  const sessionToken = await freshToken(options);
  await withSession(options, async (client, interviewId) => {
    await client.renewToken(interviewId, sessionToken, { timeoutMs: options.timeout });
    if (options.json) printJson({ interviewId, renewed: true });
    else process.stdout.write(`Session ${interviewId} has the new token.\n`);
  });
}

async function freshToken({ interviewId, sessionTokenFile }: RenewTokenOptions): Promise<string> {
  try {
    return checkedToken(interviewId, await readSessionToken(sessionTokenFile));
  } catch (error) {
    throw sessionCliError(error);
  }
}
