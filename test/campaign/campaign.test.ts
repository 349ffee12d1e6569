import { expect, it } from 'vitest';
import { runCampaign } from './campaign.js';
import { isInconclusive } from './once.js';
import { report } from './report.js';

/** One fixed seed. `npm run faults` runs others, whose failures do not block a release. */
const SEED = 3;

// One minute to start, a third of a minute of faults, up to five minutes to drain, and time to collect the evidence. A stuck session must be
// reported before this timeout.
it('a short fault campaign violates no invariant', async () => {
  const campaign = await runCampaign({ seed: SEED, seconds: 20 });
  const { sessions, shards } = campaign.evidence;
  expect(campaign.violations, report(campaign)).toEqual([]);
  // A campaign without events would prove nothing.
  const calls = sessions.flatMap(({ incode }) => incode.calls);
  expect(sessions.length).toBeGreaterThan(100);
  expect(shards.length).toBeGreaterThan(0);
  expect(calls.filter(({ fault }) => fault !== null).length).toBeGreaterThan(50);
  expect(isInconclusive(campaign.evidence), report(campaign)).toBe(false);
  expect(campaign.taken).toBeGreaterThan(0);
  // The first event of each kind comes within half of the time, even on a slow machine.
  expect(campaign.happened).toEqual(
    expect.arrayContaining(['killWorker', 'freezeWorker', 'killServer', 'killReceiver']),
  );
});
