import { quoted } from '../shared/program.js';

/** The user's command, completed so that it attaches to the same batch. Arguments hold no secrets: tokens come from the file. */
export function attachCommand(batchId: string, also: string[], args = process.argv.slice(2)): string {
  const named = args.some((arg) => /^--batch-id(=|$)/.test(arg)) ? [] : ['--batch-id', batchId];
  const missing = also.filter((option) => !args.includes(option));
  return ['temporal-incode', ...args, ...named, ...missing].map(quoted).join(' ');
}
