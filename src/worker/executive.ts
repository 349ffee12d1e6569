import type { Config } from '../config/index.js';
import { type ExecutiveToken, executiveLogIn, givenExecutiveToken, type IncodeClient } from '../incode/index.js';
import { keepSecret } from '../secrets/index.js';

/** @returns `undefined` if no executive user is configured */
export function executiveToken(
  { executive }: Pick<Config, 'executive'>,
  incode: Pick<IncodeClient, 'logIn'>,
): ExecutiveToken | undefined {
  if (executive === null) return undefined;
  if ('token' in executive) return givenExecutiveToken(executive.token);
  const { email, password } = executive;
  const loggedIn = executiveLogIn(incode, () => ({ email, password: password() }));
  // A remembered secret is redacted in every log line and message.
  return { token: async (refused) => keepSecret(await loggedIn.token(refused)) };
}
