import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CliError, diskProblem, EXIT } from './exit.js';

/**
 * Reads a session token from a file, stdin or the terminal. It is never an argument, because others can read the process list.
 *
 * @param file `-` for stdin
 * @throws CliError if it cannot be read
 */
export async function readSessionToken(file: string, option = '--session-token-file'): Promise<string> {
  try {
    if (file === '-' && process.stdin.isTTY) return (await typedToken()).trim();
    // Trimmed, because editors and shells end a file with a line break.
    return (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`${option}: cannot read ${file}: ${diskProblem(error)}`);
  }
}

/** Reads a token from the terminal without echo. */
async function typedToken(): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write('Session token, then Enter (it is not shown): ');
  try {
    const interrupted = new Promise<never>((_, reject) => {
      prompt.once('SIGINT', () => reject(new CliError('Interrupted', EXIT.interrupted)));
      prompt.once('close', () => reject(new CliError('No session token was given')));
    });
    return await Promise.race([prompt.question(''), interrupted]);
  } finally {
    process.stderr.write('\n');
    prompt.close();
  }
}
