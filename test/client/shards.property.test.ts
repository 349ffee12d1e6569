import { describe, expect, it } from 'vitest';
import { sessionShape } from '../../src/client/batch/sessions.js';
import { cutShards } from '../../src/client/batch/shards.js';
import { MAX_SHARD_BYTES } from '../../src/contract/batch.js';
import type { BatchSession } from '../../src/contract/index.js';
import { all } from '../support/batch.js';
import { cases, fc, printable } from '../support/property.js';

/** Some sessions are large, so that both the byte limit and the count limit end shards. */
const token = fc.oneof(
  printable(300),
  fc.integer({ min: 300, max: 16_384 }).map((length) => '"'.repeat(length)),
);
const session = fc.record(
  { interviewId: printable(200), sessionToken: token, flowId: printable(200) },
  { requiredKeys: ['interviewId'] },
);
const list = fc
  .uniqueArray(session, { selector: ({ interviewId }) => interviewId, minLength: 1, maxLength: 120, size: 'max' })
  .map((sessions) => withOwnTokens(sessions as BatchSession[]));

/** Removes repeated tokens, because a token belongs to one session. */
function withOwnTokens(sessions: BatchSession[]): BatchSession[] {
  const seen = new Set<string>();
  return sessions.map(({ sessionToken, ...session }) => {
    if (sessionToken === undefined || seen.has(sessionToken)) return session;
    seen.add(sessionToken);
    return { ...session, sessionToken };
  });
}
const size = fc.integer({ min: 1, max: 60 });

describe('cutShards', () => {
  it('keeps every session once and in order, within both limits', async () => {
    await fc.assert(
      fc.asyncProperty(list, size, async (sessions, size) => {
        const shards = await all(cutShards(sessions, size, sessionShape()));
        expect(shards.flatMap((shard) => shard.items)).toEqual(sessions);
        let first = 0;
        for (const [number, shard] of shards.entries()) {
          expect(shard).toMatchObject({ number, first });
          expect(shard.items.length).toBeGreaterThan(0);
          expect(shard.items.length).toBeLessThanOrEqual(size);
          expect(Buffer.byteLength(JSON.stringify(shard.items))).toBeLessThanOrEqual(MAX_SHARD_BYTES);
          first += shard.items.length;
        }
      }),
      cases(0.3),
    );
  });

  it('cuts at the same positions with and without tokens of the usual length', async () => {
    const usual = list.map((sessions) =>
      sessions.map(({ sessionToken = '', ...session }, at) => ({
        ...session,
        sessionToken: `${at}-${sessionToken.slice(0, 120)}`,
      })),
    );
    await fc.assert(
      fc.asyncProperty(usual, size, async (sessions, size) => {
        const cuts = async (list: BatchSession[]) =>
          (await all(cutShards(list, size, sessionShape()))).map(({ items: _, ...cut }) => cut);
        expect(await cuts(sessions.map(({ sessionToken: _, ...session }) => session))).toEqual(await cuts(sessions));
      }),
      cases(0.3),
    );
  });

  it('yields the shards before a repeated id, names both positions and ends', async () => {
    await fc.assert(
      fc.asyncProperty(list, fc.nat(), size, async (sessions, at, size) => {
        const first = at % sessions.length;
        const twice = [...sessions, { interviewId: sessions[first]?.interviewId ?? '' }];
        await expect(all(cutShards(twice, size, sessionShape()))).rejects.toThrow(
          `sessions[${sessions.length}].interviewId is the same as that of sessions[${first}]`,
        );
      }),
      cases(0.3),
    );
  });
});
