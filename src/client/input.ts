// Not from jose's index: loading all of it would make loading the client a tenth slower.
import { decodeJwt } from 'jose/jwt/decode';
import { checkOnboardingInput, checkSessionToken, InvalidInputError, type OnboardingInput } from '../contract/index.js';
import { checkTokenFits } from '../contract/token-claims.js';

/**
 * Checks input before it is sent, by the rules of the workflow and of Incode.
 *
 * @throws InvalidInputError naming the field
 */
export function checkedInput(input: OnboardingInput): OnboardingInput {
  const checked = checkOnboardingInput(input);
  const { interviewId, sessionToken } = checked;
  if (sessionToken) checkNotExpired(sessionToken);
  if (sessionToken) checkTokenFits(interviewId, sessionToken);
  return checked;
}

/** @throws InvalidInputError */
export function checkedToken(interviewId: string, sessionToken: string): string {
  checkNotExpired(checkSessionToken(sessionToken));
  checkTokenFits(interviewId, sessionToken);
  return sessionToken;
}

/** Reads the token's `exp`. A token that is not a JWT passes, because Incode decides about the format. */
function checkNotExpired(sessionToken: string): void {
  const exp = tokenExpiry(sessionToken);
  if (exp !== undefined && exp * 1_000 <= Date.now()) {
    throw new InvalidInputError('sessionToken', `expired at ${new Date(exp * 1_000).toISOString()}; get a new one`);
  }
}

/** @returns the token's `exp` in seconds since the epoch; `undefined` if the token has none */
export function tokenExpiry(sessionToken: string): number | undefined {
  try {
    return decodeJwt(sessionToken).exp;
  } catch {
    return undefined;
  }
}
