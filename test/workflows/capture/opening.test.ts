import { describe, expect, it } from 'vitest';
import {
  nextOpeningStep,
  type OpeningAttempt,
  recordOpenedInstead,
  recordStartedSession,
  suspectedOrphans,
} from '../../../src/workflows/capture/opening.js';

const attempt = (id: string, interviewId: string | null = null, isAnswerLost = true): OpeningAttempt => ({
  externalCustomerId: id,
  interviewId,
  isAnswerLost,
});

describe('nextOpeningStep', () => {
  it('opens a session if nothing was sent', () => {
    expect(nextOpeningStep([], false, [])).toBe('open');
  });

  it('waits for the webhook if the answer was lost', () => {
    expect(nextOpeningStep([attempt('a')], false, [])).toBe('wait');
  });

  it('opens another session once the time for the webhook is over', () => {
    expect(nextOpeningStep([attempt('a')], true, [])).toBe('open');
  });

  it('takes over the session that a webhook names, even if the time is over', () => {
    const step = { takeOver: 'i', externalCustomerId: 'a' };
    expect(nextOpeningStep([attempt('a', 'i')], false, [])).toEqual(step);
    expect(nextOpeningStep([attempt('a', 'i')], true, [])).toEqual(step);
  });

  it('takes over the session of an earlier attempt whose webhook comes late', () => {
    expect(nextOpeningStep([attempt('a', 'i'), attempt('b')], false, [])).toEqual({
      takeOver: 'i',
      externalCustomerId: 'a',
    });
  });

  it('opens another session at once if Incode does not hand over the one that was found', () => {
    expect(nextOpeningStep([attempt('a', 'i')], false, ['i'])).toBe('open');
  });
});

describe('recordStartedSession', () => {
  it('records each session of an attempt once', () => {
    const attempts = [attempt('a'), attempt('b')];
    const says = ['i', 'i', 'j', 'j', 'k'].map((interviewId) =>
      recordStartedSession(attempts, { externalCustomerId: 'b', interviewId }),
    );
    expect(says).toEqual([true, false, true, false, true]);
    expect(attempts).toEqual([attempt('a'), { ...attempt('b', 'i'), otherIds: ['j', 'k'] }]);
  });

  it('records at most 21 sessions of an attempt', () => {
    const attempts = [attempt('a')];
    for (let at = 0; at < 30; at += 1) {
      expect(recordStartedSession(attempts, { externalCustomerId: 'a', interviewId: `${at}` })).toBe(at < 21);
    }
    expect(suspectedOrphans(attempts, null)).toHaveLength(21);
  });

  it('ignores a session of another person', () => {
    const attempts = [attempt('a')];
    expect(recordStartedSession(attempts, { externalCustomerId: 'c', interviewId: 'i' })).toBe(false);
    expect(attempts).toEqual([attempt('a')]);
  });
});

describe('recordOpenedInstead', () => {
  const opened = { externalCustomerId: 'a', interviewId: 'new' };
  const named = (...ids: (string | null)[]) => ids.map((interviewId) => ({ externalCustomerId: 'a', interviewId }));

  it('names the found session if the only request has opened another one', () => {
    const attempts = [attempt('a', 'found')];
    recordOpenedInstead(attempts, opened);
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found'));
  });

  it('suspects a session without id for earlier requests until webhooks name theirs', () => {
    const attempts = [attempt('a', 'found')];
    recordOpenedInstead(attempts, opened, 2);
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found', null));
    recordStartedSession(attempts, { ...opened, interviewId: 'second' });
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found', 'second', null));
    recordStartedSession(attempts, { ...opened, interviewId: 'third' });
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found', 'second', 'third'));
  });

  it('suspects nothing more if the webhook of an earlier request came before the answer', () => {
    const attempts = [attempt('a', 'found')];
    recordStartedSession(attempts, { ...opened, interviewId: 'second' });
    recordOpenedInstead(attempts, opened, 1);
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found', 'second'));
  });

  it('names the new session if the earlier one remains in use', () => {
    const attempts = [attempt('a', 'used', false)];
    recordOpenedInstead(attempts, opened);
    expect(suspectedOrphans(attempts, { ...opened, interviewId: 'used' })).toEqual(named('new'));
  });

  it('adds the requests of a later token to those of the takeover', () => {
    const attempts = [attempt('a', 'found')];
    recordOpenedInstead(attempts, opened, 1);
    recordOpenedInstead(attempts, { ...opened, interviewId: 'newer' });
    expect(suspectedOrphans(attempts, opened)).toEqual(named('found', 'newer', null));
  });

  it('changes nothing for another person', () => {
    const attempts = [attempt('a', 'found')];
    recordOpenedInstead(attempts, { ...opened, externalCustomerId: 'b' }, 1);
    expect(attempts).toEqual([attempt('a', 'found')]);
  });
});

describe('suspectedOrphans', () => {
  const used = { externalCustomerId: 'b', interviewId: 'i' };

  it('names a session that a request for a token may open instead, until its answer', () => {
    const taking = { ...attempt('a', 'i', false), isTakingOver: true as const };
    expect(suspectedOrphans([taking], { interviewId: 'i', externalCustomerId: 'a' })).toEqual([
      { externalCustomerId: 'a', interviewId: null },
    ]);
    expect(suspectedOrphans([taking], null)).toEqual([
      { externalCustomerId: 'a', interviewId: 'i' },
      { externalCustomerId: 'a', interviewId: null },
    ]);
  });

  it('has none if the only answer arrived', () => {
    expect(suspectedOrphans([attempt('b', 'i', false)], used)).toEqual([]);
  });

  it('has none if the session of a lost answer is used', () => {
    expect(suspectedOrphans([attempt('b', 'i')], used)).toEqual([]);
  });

  it('names each earlier attempt whose answer was lost, with its session once a webhook names it', () => {
    expect(suspectedOrphans([attempt('a'), attempt('c', 'j'), attempt('b', 'i', false)], used)).toEqual([
      { externalCustomerId: 'a', interviewId: null },
      { externalCustomerId: 'c', interviewId: 'j' },
    ]);
  });

  it('names a session that was found if Incode opened another one instead of handing it over', () => {
    expect(suspectedOrphans([attempt('b', 'found')], used)).toEqual([
      { externalCustomerId: 'b', interviewId: 'found' },
    ]);
  });

  it('names every attempt as long as no session is used', () => {
    expect(suspectedOrphans([attempt('a')], null)).toEqual([{ externalCustomerId: 'a', interviewId: null }]);
  });

  it('leaves out an attempt that has opened nothing', () => {
    expect(suspectedOrphans([attempt('a', null, false)], null)).toEqual([]);
  });
});
