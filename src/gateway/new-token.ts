import { createHash, randomBytes } from 'node:crypto';
import type { GatewayScope } from '../contract/gateway-settings.js';

/** Tokens are recognizable in files and logs by this prefix. */
const PREFIX = 'tig_';

/** Makes a token of 256 random bits, and its line for the file of tokens. */
export function newToken(name: string, scopes: readonly GatewayScope[]): { token: string; line: string } {
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`;
  return { token, line: `${name} ${scopes.join(',')} sha256:${sha256(token)}` };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
