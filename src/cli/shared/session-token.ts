import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { CliError } from './exit.js';

/**
 * A session's token, which never is an argument: others could see it in the process list.
 *
 * @param file `-` for stdin
 * @throws CliError if it cannot be read
 */
export async function readSessionToken(file: string, option = '--session-token-file'): Promise<string> {
  try {
    if (file === '-' && process.stdin.isTTY) process.stderr.write('The session token, then Enter and Ctrl-D:\n');
    // Editors and shells end a file with a line break, which is not part of the token.
    return (file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CliError(`${option}: ${error instanceof Error ? error.message : error}`);
  }
}
