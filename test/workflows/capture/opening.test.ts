import { describe, expect, it } from 'vitest';
import {
  nextOpeningStep,
  type OpeningAttempt,
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
  it('records the first session of an attempt only', () => {
    const attempts = [attempt('a'), attempt('b')];
    expect(recordStartedSession(attempts, { externalCustomerId: 'b', interviewId: 'i' })).toBe(true);
    expect(recordStartedSession(attempts, { externalCustomerId: 'b', interviewId: 'j' })).toBe(false);
    expect(attempts).toEqual([attempt('a'), attempt('b', 'i')]);
  });

  it('ignores a session of another person', () => {
    const attempts = [attempt('a')];
    expect(recordStartedSession(attempts, { externalCustomerId: 'c', interviewId: 'i' })).toBe(false);
    expect(attempts).toEqual([attempt('a')]);
  });
});

describe('suspectedOrphans', () => {
  const used = { externalCustomerId: 'b', interviewId: 'i' };

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
