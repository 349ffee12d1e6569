import { readFileSync } from 'node:fs';
import { namedSecretFiles } from '../../config/index.js';
import type { Check } from './check.js';

/**
 * Checks the secret files that this environment names. A running process keeps what it has read, so an empty or deleted file goes
 * unnoticed until the next start.
 */
export function secretFileChecks(): Check[] {
  const named = namedSecretFiles();
  if (named.length === 0) return [];
  const name = 'secret files';
  const problems = named.flatMap(([variable, path]) => problemOf(variable, path));
  if (problems.length === 0) return [{ name, status: 'ok', message: named.map(([variable]) => variable).join(', ') }];
  const todo = 'Write the secret into the file again, before a process that needs it starts';
  return [{ name, status: 'failed', message: problems.join('; '), todo }];
}

function problemOf(variable: string, path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trim() === '' ? [`${variable} names a file that is empty`] : [];
  } catch (error) {
    return [`${variable} names a file that cannot be read (${(error as NodeJS.ErrnoException).code})`];
  }
}
