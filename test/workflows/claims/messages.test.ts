import { describe, expect, it } from 'vitest';
import { claimMessage, claimView, releaseMessage } from '../../../src/workflows/claims/messages.js';

const claim = { shard: 's', claimId: 'r', sessions: 'abcdef', holders: [['t', 'abcdef']] };
const view = { claimId: 'r', waitsFor: [['t', 'abcdef']], wanted: '', passedOn: '' };

describe('claimMessage', () => {
  it('takes a claim and leaves out what it does not know', () => {
    expect(claimMessage({ ...claim, more: 1 })).toEqual(claim);
  });

  it('takes the longest id that Temporal allows, and no sessions', () => {
    const longest = { ...claim, shard: 'ö'.repeat(500), claimId: 'r'.repeat(64), sessions: '', holders: [] };
    expect(claimMessage(longest)).toEqual(longest);
  });

  it.each([
    undefined,
    null,
    'text',
    {},
    { ...claim, shard: 1 },
    { ...claim, claimId: undefined },
    { ...claim, sessions: ['abcdef'] },
    { ...claim, holders: undefined },
    { ...claim, holders: ['t'] },
    { ...claim, holders: [['t']] },
    { ...claim, holders: [['t', 1]] },
    { ...claim, holders: [['', 'abcdef']] },
    { ...claim, holders: [['t', 'abcde']] },
    // The server refuses a signal to such a workflow, again at every retry of the workflow task.
    { ...claim, shard: '' },
    { ...claim, shard: 's'.repeat(1_001) },
    { ...claim, shard: 'ö'.repeat(501) },
    { ...claim, shard: '\ud800' },
    // The record would be larger than it counts.
    { ...claim, claimId: 'r'.repeat(65) },
    { ...claim, claimId: 'ö' },
    { ...claim, sessions: 'abcde' },
    { ...claim, sessions: 'abcdeö' },
  ])('ignores %j', (value) => {
    expect(claimMessage(value)).toBeUndefined();
  });
});

describe('releaseMessage', () => {
  it('takes a release of all sessions and of some', () => {
    expect(releaseMessage({ shard: 's' })).toEqual({ shard: 's' });
    expect(releaseMessage({ shard: 's', sessions: 'abcdef' })).toEqual({ shard: 's', sessions: 'abcdef' });
  });

  it.each([undefined, {}, { sessions: 'abcdef' }, { shard: 's', sessions: 1 }, { shard: '' }])(
    'ignores %j',
    (value) => {
      expect(releaseMessage(value)).toBeUndefined();
    },
  );
});

describe('claimView', () => {
  it('takes a view, full or not', () => {
    expect(claimView(view)).toEqual(view);
    expect(claimView({ ...view, isFull: true })).toEqual({ ...view, isFull: true });
    expect(claimView({ ...view, isFull: 'no' })).toEqual(view);
  });

  it.each([
    undefined,
    { ...view, claimId: 1 },
    { ...view, waitsFor: {} },
    { ...view, wanted: null },
    { ...view, passedOn: undefined },
  ])('ignores %j', (value) => {
    expect(claimView(value)).toBeUndefined();
  });
});
