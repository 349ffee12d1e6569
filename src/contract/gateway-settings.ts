// What the options of the gateway and its environment variables have in common.

export const GATEWAY_DEFAULTS = {
  requestsPerSecond: 200,
  maxConnections: 1_000,
  maxListeners: 500,
  keepAliveMs: 15_000,
  maxBodyBytes: 65_536,
  maxListBytes: 134_217_728,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 10_000,
} as const;

/**
 * What a token of the gateway permits:
 * - `read`: to see sessions, people and batches, without Incode's redirection URLs;
 * - `start`: to start, finish and follow sessions, people and batches, and to hand in tokens;
 * - `operate`: to hand in tokens and images, extend deadlines, cancel, pause, resume and stop.
 */
export const GATEWAY_SCOPES = ['read', 'start', 'operate'] as const;

export type GatewayScope = (typeof GATEWAY_SCOPES)[number];

/** A token as its file has it: the token itself is not stored. */
export interface GatewayToken {
  /** Who has the token, for the audit log. Not a secret. */
  readonly name: string;
  readonly scopes: readonly GatewayScope[];
  /** The token's SHA-256 as 64 hexadecimal digits. A fast hash is enough, because the gateway makes tokens of 256 random bits. */
  readonly sha256: string;
}
