import { describe, expect, it } from 'vitest';
import { ClaimedSessions } from '../../../src/workflows/batch/claimed-sessions.js';
import { hashOf } from '../../../src/workflows/claims/hashes.js';

const IDS = ['a', 'b', 'c'];
const [A, B, C] = IDS.map(hashOf) as [string, string, string];
const GRANTED = { claimId: 'r', waitsFor: [], wanted: '', passedOn: '' };

const claimed = (ids = IDS) => new ClaimedSessions(ids.map((interviewId) => ({ interviewId })));
const none = () => false;

describe('ClaimedSessions', () => {
  it('asks for the sessions that have not ended', () => {
    expect(claimed().toAsk((index) => index === 1)).toEqual({ sessions: A + C, holders: [] });
  });

  it('names the holders that it was told when it asks again', () => {
    const sessions = claimed();
    sessions.update({ ...GRANTED, waitsFor: [['other', B]] });
    expect(sessions.toAsk(none)).toEqual({ sessions: A + B + C, holders: [['other', B]] });
  });

  it('waits for sessions that another shard holds until it is told otherwise', () => {
    const sessions = claimed();
    expect(sessions.isWaiting).toBe(false);
    sessions.update({ ...GRANTED, waitsFor: [['other', B + C]] });
    expect([0, 1, 2].map((index) => sessions.isHeldByOther(index))).toEqual([false, true, true]);
    sessions.update({ ...GRANTED, waitsFor: [['other', C]], passedOn: B });
    expect([0, 1, 2].map((index) => sessions.isHeldByOther(index))).toEqual([false, false, true]);
    sessions.update(GRANTED);
    expect(sessions.isWaiting).toBe(false);
  });

  it('takes a session for passed on that it waited for before, because the message about that may be lost', () => {
    const sessions = claimed();
    expect(sessions.update({ ...GRANTED, waitsFor: [['other', B + C]] })).toEqual([]);
    expect(sessions.update({ ...GRANTED, waitsFor: [['other', C]] })).toEqual([1]);
    expect(sessions.update({ ...GRANTED, waitsFor: [['third', C]] })).toEqual([]);
    expect(sessions.update(GRANTED)).toEqual([2]);
  });

  it('tells which sessions another shard may have sent', () => {
    expect(claimed().applyChanges({ ...GRANTED, passedOn: C + A + hashOf('unknown') })).toEqual([2, 0]);
  });

  it('releases a session that others wait for once it has ended, and only once', () => {
    const sessions = claimed();
    sessions.applyChanges({ ...GRANTED, wanted: A + B });
    expect(sessions.takeReleasable(none)).toBe('');
    expect(sessions.takeReleasable((index) => index !== 0)).toBe(B);
    expect(sessions.takeReleasable((index) => index !== 0)).toBe('');
    expect(sessions.takeReleasable(() => true)).toBe(A);
  });

  it('releases a session that it does not know, because another shard waits for it', () => {
    const sessions = claimed();
    sessions.applyChanges({ ...GRANTED, wanted: hashOf('unknown') });
    expect(sessions.takeReleasable(none)).toBe(hashOf('unknown'));
  });

  it('releases two sessions with the same hash once both have ended', () => {
    const sessions = claimed(['a', 'a']);
    sessions.applyChanges({ ...GRANTED, wanted: A });
    expect(sessions.takeReleasable((index) => index === 0)).toBe('');
    expect(sessions.takeReleasable(() => true)).toBe(A);
  });

  it('says what it waits for', () => {
    const sessions = claimed();
    expect(sessions.waitsFor()).toBeNull();
    const told = (...waitsFor: [string, string][]) => {
      sessions.update({ ...GRANTED, waitsFor });
      return sessions.waitsFor();
    };
    expect(told(['s/0', A])).toBe('1 session waits for s/0, where it is in progress');
    expect(told(['s/0', A + B])).toBe('2 sessions wait for s/0, where they are in progress');
    expect(told(['s/0', A], ['s/1', B])).toBe('2 sessions wait for s/0 and 1 other shard, where they are in progress');
    expect(told(['s/0', A], ['s/1', B], ['s/2', C])).toBe(
      '3 sessions wait for s/0 and 2 other shards, where they are in progress',
    );
    expect(told(['s/0', hashOf('unknown')])).toBeNull();
  });
});
