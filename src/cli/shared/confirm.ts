import { createInterface } from 'node:readline/promises';

/** Asks on stderr, so that a pipe gets only results. Every answer but yes means no, including Ctrl-C and Ctrl-D. */
export async function confirm(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => prompt.once('close', () => resolve('\n')));
    // Readline intercepts Ctrl-C.
    prompt.once('SIGINT', () => prompt.close());
    const answer = await Promise.race([prompt.question(`${question} (y/N) `), closed]);
    if (answer === '\n') process.stderr.write('\n');
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    prompt.close();
  }
}
