import { beforeEach, describe, expect, it } from 'vitest';
import { split } from '../../../src/workflows/claims/hashes.js';
import type { ClaimView } from '../../../src/workflows/claims/messages.js';
import { ClaimRegistry } from '../../../src/workflows/claims/registry.js';

const [S1, S2, S3] = ['111111', '222222', '333333'] as const;

let registry: ClaimRegistry;
beforeEach(() => {
  registry = new ClaimRegistry();
});

function claim(shard: string, sessions: string[], holders: [string, string][] = [], claimId = `${shard}-run`): void {
  registry.claim({ shard, claimId, sessions: sessions.join(''), holders });
}

/** What the shards would receive now. */
function views(busy: string[] = [], max = 1_000): Record<string, ClaimView> {
  return Object.fromEntries(registry.takeViews(new Set(busy), max));
}

/** Continues with the registry of the next run. */
function continueAsNew(): void {
  registry = new ClaimRegistry(JSON.parse(JSON.stringify(registry.record())));
}

/** A view of the claim with this id. */
const viewOf = (claimId: string): ClaimView => ({ claimId, ...GRANTED });

const GRANTED = { waitsFor: [], wanted: '', passedOn: '' };

describe('a claim', () => {
  it('is granted if no other shard holds the sessions', () => {
    claim('a', [S1, S2]);
    claim('b', [S3]);
    expect(views()).toEqual({ a: { claimId: 'a-run', ...GRANTED }, b: { claimId: 'b-run', ...GRANTED } });
    expect(views()).toEqual({});
    expect(registry.size).toEqual({ shards: 2, sessions: 3 });
  });

  it('makes a shard wait for sessions that another shard holds, and informs the holder', () => {
    claim('a', [S1, S2]);
    views();
    claim('b', [S2, S3]);
    expect(views()).toEqual({
      a: { claimId: 'a-run', ...GRANTED, wanted: S2 },
      b: { claimId: 'b-run', ...GRANTED, waitsFor: [['a', S2]] },
    });
  });

  it('names each holder once, with all of its sessions', () => {
    claim('a', [S1, S2]);
    claim('b', [S3]);
    claim('c', [S1, S2, S3]);
    expect(views().c?.waitsFor).toEqual([
      ['a', S1 + S2],
      ['b', S3],
    ]);
  });

  it('counts a repeated session once', () => {
    claim('a', [S1, S1]);
    registry.release({ shard: 'a', sessions: S1 });
    expect(registry.size).toEqual({ shards: 1, sessions: 0 });
  });

  it('a repeated claim keeps its place, and gives up the sessions that it does not name', () => {
    claim('a', [S1, S2]);
    claim('b', [S1, S2]);
    claim('c', [S1]);
    views();
    claim('a', [S1], [], 'a-next');
    expect(views()).toEqual({
      a: { claimId: 'a-next', ...GRANTED, wanted: S1 },
      b: { claimId: 'b-run', waitsFor: [['a', S1]], wanted: '', passedOn: S2 },
    });
  });

  it('a repeated claim of a waiting shard tells the holder again, which may be gone', () => {
    claim('a', [S1]);
    claim('b', [S1]);
    views();
    claim('b', [S1]);
    expect(Object.keys(views()).sort()).toEqual(['a', 'b']);
  });

  it('an extended claim waits for what others have got meanwhile', () => {
    claim('a', [S1, S2]);
    registry.release({ shard: 'a', sessions: S2 });
    claim('b', [S2]);
    claim('a', [S1, S2]);
    expect(views().a?.waitsFor).toEqual([['b', S2]]);
  });
});

describe('a released session', () => {
  it('goes to the shard that has waited longest, with the news that it may have been sent', () => {
    claim('a', [S1]);
    claim('b', [S1]);
    claim('c', [S1]);
    views();
    registry.release({ shard: 'a', sessions: S1 });
    expect(views()).toEqual({
      b: { claimId: 'b-run', waitsFor: [], wanted: S1, passedOn: S1 },
      c: { claimId: 'c-run', ...GRANTED, waitsFor: [['b', S1]] },
    });
  });

  it('is free if no shard waits for it', () => {
    claim('a', [S1]);
    registry.release({ shard: 'a', sessions: S1 });
    claim('b', [S1]);
    expect(views().b).toEqual({ claimId: 'b-run', ...GRANTED });
  });

  it('is passed on in the next message if a message to the shard is on its way', () => {
    claim('a', [S1]);
    claim('b', [S1]);
    views();
    registry.release({ shard: 'a' });
    expect(views(['b'])).toEqual({});
    expect(views()).toEqual({ b: { claimId: 'b-run', ...GRANTED, passedOn: S1 } });
    registry.resendAll();
    expect(views()).toEqual({ b: { claimId: 'b-run', ...GRANTED } });
  });

  it('is not passed on to a shard that has released it too', () => {
    claim('a', [S1]);
    claim('b', [S1, S2]);
    registry.release({ shard: 'a', sessions: S1 });
    registry.release({ shard: 'b', sessions: S1 });
    expect(views().b).toEqual({ claimId: 'b-run', ...GRANTED });
  });

  it('changes nothing if the shard has no such session or no claim', () => {
    claim('a', [S1]);
    claim('b', [S1]);
    views();
    registry.release({ shard: 'b', sessions: S3 });
    registry.release({ shard: 'c', sessions: S1 });
    registry.release({ shard: 'c' });
    expect(views()).toEqual({});
    expect(registry.record()).toEqual([
      ['a', 'a-run', S1, ''],
      ['b', 'b-run', '', S1],
    ]);
  });

  it('is passed on again if the message did not arrive because the shard was started anew', () => {
    claim('a', [S1]);
    claim('b', [S1, S2]);
    views();
    registry.release({ shard: 'a' });
    const { b } = views();
    claim('b', [S1], [], 'b-next');
    views();
    registry.undelivered('b', b as ClaimView);
    expect(views()).toEqual({ b: { claimId: 'b-next', ...GRANTED, passedOn: S1 } });
  });

  it('is not passed on again if the shard has released it meanwhile', () => {
    claim('a', [S1]);
    claim('b', [S1, S2]);
    registry.release({ shard: 'a' });
    const { b } = views();
    claim('b', [S2], [], 'b-next');
    registry.undelivered('b', b as ClaimView);
    expect(views()).toEqual({ b: { claimId: 'b-next', ...GRANTED } });
  });

  it('leaves the other waiting shards in their order', () => {
    for (const shard of ['a', 'b', 'c', 'd']) claim(shard, [S1]);
    registry.release({ shard: 'c' });
    registry.release({ shard: 'a' });
    views();
    registry.release({ shard: 'b' });
    expect(views()).toEqual({ d: { claimId: 'd-run', ...GRANTED, passedOn: S1 } });
  });
});

describe('a shard that has ended or is gone', () => {
  it('releases all of its sessions, held or waited for', () => {
    claim('a', [S1]);
    claim('b', [S1, S2]);
    registry.release({ shard: 'b' });
    registry.release({ shard: 'a' });
    expect(registry.isEmpty).toBe(true);
    expect(registry.size).toEqual({ shards: 0, sessions: 0 });
    expect(views()).toEqual({});
  });

  it('passes its sessions on', () => {
    claim('a', [S1]);
    claim('b', [S1]);
    views();
    registry.undelivered('a', viewOf('a-run'));
    expect(views()).toEqual({ b: { claimId: 'b-run', ...GRANTED, passedOn: S1 } });
  });

  it('keeps the claim of a later run of the shard, and sends it a view', () => {
    claim('a', [S1]);
    views();
    claim('a', [S1], [], 'a-next');
    views();
    registry.undelivered('a', viewOf('a-run'));
    expect(views()).toEqual({ a: { claimId: 'a-next', ...GRANTED } });
    registry.undelivered('b', viewOf('b-run'));
    expect(views()).toEqual({});
  });
});

describe('a new registry', () => {
  it('takes the holders of sessions from the claim of a waiting shard', () => {
    claim('b', [S1, S2], [['a', S1 + S3]]);
    expect(views()).toEqual({
      a: { claimId: '', ...GRANTED, wanted: S1 },
      b: { claimId: 'b-run', ...GRANTED, waitsFor: [['a', S1]] },
    });
    // The holder does not exist any more.
    registry.undelivered('a', viewOf(''));
    expect(views()).toEqual({ b: { claimId: 'b-run', ...GRANTED, passedOn: S1 } });
  });

  it('adds sessions that a waiting shard names to a known claim', () => {
    claim('a', [S2]);
    claim('b', [S1, S2], [['a', S1]]);
    expect(views().b?.waitsFor).toEqual([['a', S1 + S2]]);
  });

  it('takes a session once that a waiting shard names twice', () => {
    claim('b', [S1], [['a', S1 + S1]]);
    expect(views().b?.waitsFor).toEqual([['a', S1]]);
    registry.release({ shard: 'a', sessions: S1 });
    expect(views()).toEqual({ b: { claimId: 'b-run', ...GRANTED, passedOn: S1 } });
  });

  it('believes its own record before a shard', () => {
    claim('c', [S1]);
    claim('b', [S1], [['a', S1]]);
    claim('b', [S1, S2], [['b', S2]]);
    expect(views().b?.waitsFor).toEqual([['c', S1]]);
    expect(registry.size.shards).toBe(2);
  });
});

describe('a registry with too many sessions', () => {
  const many = (shard: number) =>
    Array.from({ length: 2_000 }, (_, number) => String(400_000 + shard * 2_000 + number));

  it('grants 100 shards of 2,000 sessions, and refuses a claim beyond its limit until others release theirs', () => {
    let shard = 0;
    for (;;) {
      claim(`${shard}`, many(shard));
      if (views()[shard]?.isFull) break;
      shard += 1;
    }
    expect(shard).toBeGreaterThanOrEqual(100);
    expect(registry.size).toEqual({ shards: shard, sessions: shard * 2_000 });
    expect(JSON.stringify(registry.record()).length).toBeLessThan(1_900_000);
    // A claim that only gets smaller is not refused.
    claim('0', many(0).slice(1));
    expect(views()['0']).toEqual({ claimId: '0-run', ...GRANTED });
    registry.release({ shard: '1' });
    claim(`${shard}`, many(shard));
    expect(views()[shard]).toEqual({ claimId: `${shard}-run`, ...GRANTED });
  });

  const FULL = { ...GRANTED, isFull: true };

  /** Leaves no room for another shard. */
  function fill(): void {
    let shard = 0;
    const isRefused = (sessions: number) => {
      shard += 1;
      claim(`f${shard}`, many(shard).slice(0, sessions));
      return views()[`f${shard}`]?.isFull === true;
    };
    while (!isRefused(2_000));
    while (!isRefused(1));
  }

  it('forgets a shard that it refuses, and counts it as no claim', () => {
    fill();
    const { shards } = registry.size;
    claim('late', [S1]);
    expect(views()).toEqual({ late: { claimId: 'late-run', ...FULL } });
    expect(registry.size.shards).toBe(shards);
    registry.resendAll();
    expect(views().late).toBeUndefined();
  });

  it('refuses sessions beyond the limit also to a shard that others have named as a holder', () => {
    claim('b', [S1], [['a', S1]]);
    views();
    fill();
    claim('a', [S1, ...many(450)]);
    expect(views().a).toEqual({ claimId: 'a-run', ...FULL, wanted: S1 });
    continueAsNew();
    registry.resendAll();
    expect(views().a).toEqual({ claimId: 'a-run', ...FULL, wanted: S1 });
  });

  it('counts the holders that a shard names', () => {
    const sessions = Array.from({ length: 20_000 }, (_, number) => String(number).padStart(6, '0'));
    claim(
      'a',
      sessions,
      sessions.map((session) => [`holder-${session}`, session]),
    );
    expect(views()).toEqual({ a: { claimId: 'a-run', ...FULL } });
    expect(registry.isEmpty).toBe(true);
  });

  it('counts the bytes of a name as JSON', () => {
    for (let shard = 0; shard < 400; shard += 1) claim(`${'\u0001'.repeat(1_000)}${shard}`, [S1], [], 'run');
    expect(JSON.stringify(registry.record()).length).toBeLessThan(1_900_000);
  });
});

describe('views', () => {
  it('are taken in the order of the changes, at most as many as asked for', () => {
    for (const shard of ['a', 'b', 'c']) claim(shard, [S1]);
    expect(Object.keys(views([], 2))).toEqual(['a', 'b']);
    expect(Object.keys(views(['c'], 1))).toEqual([]);
    expect(Object.keys(views([], 1))).toEqual(['c']);
  });
});

describe('the record', () => {
  it('restores who holds and who waits', () => {
    claim('a', [S1, S2]);
    registry.release({ shard: 'a', sessions: S2 });
    claim('b', [S2]);
    // The older claim waits for the younger one.
    claim('a', [S1, S2]);
    claim('c', [S1]);
    views();
    const restored = new ClaimRegistry(JSON.parse(JSON.stringify(registry.record())));
    expect(restored.record()).toEqual(registry.record());
    expect(restored.takeViews(new Set(), 1_000)).toEqual([]);
    registry = restored;
    registry.resendAll();
    const sent = views();
    expect(Object.values(sent).map(({ waitsFor }) => waitsFor.map(([holder]) => holder))).toEqual([['b'], [], ['a']]);
    expect(split(sent.a?.wanted ?? '')).toEqual([S1]);
  });

  it('has what was not sent yet, and no session twice', () => {
    claim('a', [S1, S2]);
    claim('b', [S1, S2, S3]);
    views();
    registry.release({ shard: 'a', sessions: S1 });
    claim('c', [S3]);
    expect(registry.record()).toEqual([
      ['a', 'a-run', S2, ''],
      ['b', 'b-run', S3, S2, { unsent: S1 }],
      ['c', 'c-run', '', S3, { unsent: '' }],
    ]);
    continueAsNew();
    expect(views()).toEqual({
      b: { claimId: 'b-run', waitsFor: [['a', S2]], wanted: S3, passedOn: S1 },
      c: { claimId: 'c-run', ...GRANTED, waitsFor: [['b', S3]] },
    });
  });
});
