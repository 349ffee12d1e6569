import { createInterface } from 'node:readline/promises';

/** Asks at the terminal, on stderr so that a pipe gets results only. Anything but yes is a no, Ctrl-C and Ctrl-D too. */
export async function confirm(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => asking.once('close', () => resolve('\n')));
    // Readline takes Ctrl-C from the terminal.
    asking.once('SIGINT', () => asking.close());
    const answer = await Promise.race([asking.question(`${question} (y/N) `), closed]);
    if (answer === '\n') process.stderr.write('\n');
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
