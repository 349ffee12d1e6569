import { createInterface } from 'node:readline/promises';

/** Asks on stderr, so that a pipe gets only results. Every answer but yes means no, including Ctrl-C and Ctrl-D. */
export async function confirm(question: string): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => asking.once('close', () => resolve('\n')));
    // Readline intercepts Ctrl-C.
    asking.once('SIGINT', () => asking.close());
    const answer = await Promise.race([asking.question(`${question} (y/N) `), closed]);
    if (answer === '\n') process.stderr.write('\n');
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
