/**
 * Adds `npx` to printed commands if the program was started by `npx`, which does not put it on PATH.
 *
 * @returns the text with each `temporal-incode …` command ready to paste
 */
export function asTyped(text: string, isNpx = process.env.npm_command === 'exec'): string {
  return isNpx ? text.replace(/(?<![\w./-]|npx )temporal-incode(?= [a-z<[-])/g, 'npx temporal-incode') : text;
}

/** @returns an argument that a shell reads as it is: an interview id may contain any printable ASCII character */
export function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}

/**
 * Commander suggests only options of a similar length.
 *
 * @returns its error about an unknown option, with the first option that begins with it
 */
export function withLongerOption(error: string, options: readonly { long?: string | undefined }[]): string {
  const [, typed] = /^error: unknown option '(--[\w-]+)'$/.exec(error.trim()) ?? [];
  const longer = typed && options.find(({ long }) => long?.startsWith(`${typed}-`))?.long;
  return longer ? `${error.trimEnd()}\n(Did you mean ${longer}?)\n` : error;
}
