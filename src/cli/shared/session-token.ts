import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CliError, EXIT } from './exit.js';

/**
 * A session's token, which never is an argument: others could see it in the process list.
 *
 * @param file `-` for stdin
 * @throws CliError if it cannot be read
 */
export async function readSessionToken(file: string, option = '--session-token-file'): Promise<string> {
  try {
    if (file === '-' && process.stdin.isTTY) return (await typedToken()).trim();
    // Editors and shells end a file with a line break, which is not part of the token.
    return (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${option}: ${error instanceof Error ? error.message : error}`);
  }
}

/** Typed or pasted at the terminal, which does not show it. */
async function typedToken(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const asking = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write('Session token, then Enter (it is not shown): ');
  try {
    const interrupted = new Promise<never>((_, reject) => {
      asking.once('SIGINT', () => reject(new CliError('Interrupted', EXIT.interrupted)));
      asking.once('close', () => reject(new CliError('No session token was given')));
    });
    return await Promise.race([asking.question(''), interrupted]);
  } finally {
    process.stderr.write('\n');
    asking.close();
  }
}
