// Not all of jose, which takes a tenth of the time that loading the client takes.
import { decodeJwt } from 'jose/jwt/decode';
import {
  checkOnboardingInput,
  checkSessionToken,
  checkTokenFits,
  InvalidInputError,
  type OnboardingInput,
} from '../contract/index.js';

/**
 * Checks before anything is sent what the workflow would refuse, and what Incode would.
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

/** By the token's own `exp`. What cannot be read as a JWT is left for Incode to judge: its form is Incode's affair. */
function checkNotExpired(sessionToken: string): void {
  const exp = tokenExpiry(sessionToken);
  if (exp !== undefined && exp * 1_000 <= Date.now()) {
    throw new InvalidInputError('sessionToken', `expired at ${new Date(exp * 1_000).toISOString()}; get a new one`);
  }
}

/** @returns in seconds since the epoch; `undefined` if the token does not say */
export function tokenExpiry(sessionToken: string): number | undefined {
  try {
    return decodeJwt(sessionToken).exp;
  } catch {
    return undefined;
  }
}
