import type { Reader } from './reader.js';

/** How the worker gets an executive token. */
export type ExecutiveConfig =
  /** Returns the current token. If you pass a refused one, the file is read again at once. */
  { token: (refused?: string) => string } | { email: string; password: () => string };

const EMAIL = 'INCODE_EXECUTIVE_EMAIL';
const PASSWORD = 'INCODE_EXECUTIVE_PASSWORD';
const TOKEN = 'INCODE_EXECUTIVE_TOKEN';

/** @returns `null` if none is configured, or it is invalid */
export function executiveConfig(read: Reader): ExecutiveConfig | null {
  const before = read.problems.length;
  const token = read.secret(TOKEN, {
    valid: /^[\x21-\x7e]+$/,
    rule: 'must be printable ASCII without spaces',
    as: ([value = '']) => value,
  });
  const password = read.secret(PASSWORD, {
    valid: /^[^\r\n]+$/,
    rule: 'must be one line',
    as: ([value = '']) => value,
  });
  const email = read.text(EMAIL);
  if (read.problems.length > before) return null;
  if (token && (email || password))
    read.problems.push(`${TOKEN}_FILE and ${EMAIL} with ${PASSWORD}_FILE exclude each other`);
  else if (Boolean(email) !== Boolean(password)) read.problems.push(`${EMAIL} and ${PASSWORD}_FILE belong together`);
  if (token) return { token };
  return email && password ? { email, password } : null;
}
