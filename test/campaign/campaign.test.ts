import { expect, it } from 'vitest';
import { runCampaign } from './campaign.js';
import { isInconclusive } from './once.js';
import { report } from './report.js';

/** Any will do: others are for `npm run faults`, whose failures are no one's release. */
const SEED = 3;

// A minute to start, half a minute of trouble, the five that it may take to end, and time to collect what came of it: what is stuck
// is to be reported, not to run into this.
it('every invariant holds through a short campaign', { timeout: 600_000 }, async () => {
  const campaign = await runCampaign({ seed: SEED, seconds: 30 });
  const { sessions, shards } = campaign.evidence;
  expect(campaign.violations, report(campaign)).toEqual([]);
  // A campaign in which nothing happens proves nothing.
  const calls = sessions.flatMap(({ incode }) => incode.calls);
  expect(sessions.length).toBeGreaterThan(100);
  expect(shards.length).toBeGreaterThan(0);
  expect(calls.filter(({ fault }) => fault !== null).length).toBeGreaterThan(50);
  expect(isInconclusive(campaign.evidence), report(campaign)).toBe(false);
  expect(campaign.taken).toBeGreaterThan(0);
  // The first of each kind comes within half of the time, and is left out by no machine, however slow.
  expect(campaign.happened).toEqual(
    expect.arrayContaining(['killWorker', 'freezeWorker', 'killServer', 'killReceiver']),
  );
});
