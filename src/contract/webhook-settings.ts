// What the options of the webhook receiver and its environment variables have in common.

export const WEBHOOK_DEFAULTS = {
  path: '/incode/webhook',
  tokenPath: '/incode/oauth/token',
  tokenTtlMs: 3_600_000,
  maxBodyBytes: 65_536,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 5_000,
  notifyTimeoutMs: 8_000,
} as const;

/** An attacker with a bearer token can test guesses of the secret against the token's signature, and would find a shorter one. */
export const MIN_SECRET_LENGTH = 16;

export const URL_PATH = /^\/[\w./~-]*[\w~-]$/;

export const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
