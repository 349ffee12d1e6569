/**
 * How this program was started, so that a command it prints can be pasted: `npx` puts nothing on PATH.
 *
 * @returns the text with each `temporal-incode …` command as the reader has to type it
 */
export function asTyped(text: string, isNpx = process.env.npm_command === 'exec'): string {
  return isNpx ? text.replace(/(?<![\w./-]|npx )temporal-incode(?= [a-z<-])/g, 'npx temporal-incode') : text;
}
