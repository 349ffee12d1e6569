/**
 * The command that was given, with what it takes to come to the same batch again. No argument is a secret: tokens are read from
 * the file only.
 */
export function attachCommand(batchId: string, also: string[], args = process.argv.slice(2)): string {
  const named = args.some((arg) => /^--batch-id(=|$)/.test(arg)) ? [] : ['--batch-id', batchId];
  const missing = also.filter((option) => !args.includes(option));
  return ['temporal-incode', ...args, ...named, ...missing].map(quoted).join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
