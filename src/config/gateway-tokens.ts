import { GATEWAY_SCOPES, type GatewayScope, type GatewayToken } from '../contract/gateway-settings.js';
import { type SecretFile, secretFile } from '../secrets/file.js';
import type { OnWarning } from './types.js';

const VARIABLE = 'GATEWAY_TOKENS_FILE';

const LINE = /^([\w.@-]{1,64})\s+([a-z]+(?:,[a-z]+)*)\s+sha256:([0-9a-f]{64})$/;

/**
 * Reads the tokens from a file that is read again when it changes.
 *
 * @throws Error that names the line and does not repeat it
 */
export function gatewayTokenFile(path: string, onWarning?: OnWarning): SecretFile<readonly GatewayToken[]> {
  let isStarted = false;
  return secretFile(path, {
    parse: (text) => {
      // At the start, a file without a token is a mistake. Later, it revokes the last one.
      const tokens = isStarted ? tokensIn(text) : parseGatewayTokens(text);
      isStarted = true;
      return tokens;
    },
    unreadable: (code) => new Error(`${VARIABLE} names a file that cannot be read (${code})`),
    onWarning,
  });
}

/**
 * One token a line: name, scopes, hash. Empty lines and lines that begin with # are ignored.
 *
 * @throws Error that names the line and does not repeat it: somebody may have written a token there
 */
export function parseGatewayTokens(text: string): readonly GatewayToken[] {
  const tokens = tokensIn(text);
  if (tokens.length === 0) {
    throw new Error(`${VARIABLE} has no token. Make one: temporal-incode gateway --new-token NAME --scope read`);
  }
  return tokens;
}

function tokensIn(text: string): GatewayToken[] {
  return text.split('\n').flatMap((line, at) => {
    const content = line.trim();
    return content === '' || content.startsWith('#') ? [] : [tokenOf(content, at + 1)];
  });
}

function tokenOf(line: string, number: number): GatewayToken {
  const [, name, list, sha256] = LINE.exec(line) ?? [];
  if (!name || !list || !sha256) {
    throw new Error(
      `${VARIABLE}, line ${number}: must be a name, scopes and sha256:…, as gateway --new-token prints it`,
    );
  }
  const scopes = list.split(',');
  if (!scopes.every(isScope)) {
    throw new Error(`${VARIABLE}, line ${number}: the scopes must be among ${GATEWAY_SCOPES.join(', ')}`);
  }
  return { name, scopes, sha256 };
}

function isScope(text: string): text is GatewayScope {
  return (GATEWAY_SCOPES as readonly string[]).includes(text);
}
