import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import type { SimulatorBehavior } from './behavior.js';
import type { Clock } from './clock.js';

const SECRET = randomBytes(32);

/** Incode's session tokens are JWTs of up to 256 characters, valid for 90 days. */
const SESSION_TOKEN_MS = 90 * 86_400_000;

/** Executive tokens reach every session for 24 hours. */
const EXECUTIVE_TOKEN_MS = 86_400_000;

interface Owner {
  interviewId: string;
  /** Milliseconds since the epoch. 0 after the token was revoked. */
  expiresAt: number;
}

export type SavedTokens = [token: string, owner: Owner][];

/**
 * Looks tokens up instead of verifying their signature, because that is faster and allows to revoke them. They expire by the simulator's
 * clock.
 */
export class Tokens {
  private readonly owners = new Map<string, Owner>();
  /** Expiry of each executive token. */
  private readonly executives = new Map<string, number>();
  private readonly clock: Clock;
  private readonly behavior: SimulatorBehavior;

  constructor(clock: Clock, behavior: SimulatorBehavior) {
    this.clock = clock;
    this.behavior = behavior;
  }

  /** @throws TypeError if `expiresInMs` is not a number */
  async issue(interviewId: string, expiresInMs = SESSION_TOKEN_MS): Promise<string> {
    if (!Number.isFinite(expiresInMs)) throw new TypeError('expiresInMs must be a number of milliseconds');
    const expiresAt = this.clock.now() + expiresInMs;
    const { tokenForm } = this.behavior;
    const claims = tokenForm === 'namesInterview' ? { interviewId } : {};
    const token = tokenForm === 'opaque' ? randomBytes(48).toString('base64url') : await sign(claims, expiresAt);
    this.owners.set(token, { interviewId, expiresAt });
    return token;
  }

  revoke(interviewId: string): void {
    for (const owner of this.owners.values()) if (owner.interviewId === interviewId) owner.expiresAt = 0;
  }

  /** @returns the token's session; `undefined` if the token is unknown, revoked or expired */
  sessionOf(token: string): string | undefined {
    const owner = this.owners.get(token);
    return owner && owner.expiresAt > this.clock.now() ? owner.interviewId : undefined;
  }

  /** @returns the session of a token that may be revoked or expired */
  ownerOf(token: string): string | null {
    return this.owners.get(token)?.interviewId ?? null;
  }

  async issueExecutive(): Promise<string> {
    const expiresAt = this.clock.now() + EXECUTIVE_TOKEN_MS;
    const token = await sign({ role: 'executive' }, expiresAt);
    this.executives.set(token, expiresAt);
    return token;
  }

  isExecutive(token: string): boolean {
    return Number(this.executives.get(token)) > this.clock.now();
  }

  /** Without executive tokens. */
  toJSON(): SavedTokens {
    return [...this.owners];
  }

  restore(saved: SavedTokens): void {
    for (const [token, owner] of saved) this.owners.set(token, owner);
  }
}

function sign(claims: { interviewId?: string; role?: string }, expiresAt: number): Promise<string> {
  return new SignJWT({ ...claims, jti: randomBytes(6).toString('base64url') })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(Math.floor(expiresAt / 1_000))
    .sign(SECRET);
}
