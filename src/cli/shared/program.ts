/** How this program was started, so that a command it prints can be pasted: `npx` puts nothing on PATH. */
const PREFIX = process.env.npm_command === 'exec' ? 'npx ' : '';

/** @returns the text with each `temporal-incode …` command as the reader has to type it */
export function asTyped(text: string, prefix = PREFIX): string {
  return prefix === ''
    ? text
    : text.replace(/(?<![\w./-]|npx )temporal-incode(?= [a-z<-])/g, `${prefix}temporal-incode`);
}
