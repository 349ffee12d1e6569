import { expect, it } from 'vitest';
import { runCampaign } from './campaign.js';
import { isInconclusive } from './once.js';
import { report } from './report.js';

/** Fewer than by default, because people take their time too. */
const SESSIONS_PER_SECOND = 3;

/** One fixed seed. `npm run faults` runs others, whose failures do not block a release. */
const SEED = 3;

// One minute to start, a third of a minute of faults, up to five minutes to drain, and time to collect the evidence. A stuck session must be
// reported before this timeout.
it('a short fault campaign violates no invariant', async () => {
  const campaign = await runCampaign({ seed: SEED, seconds: 20, perSecond: SESSIONS_PER_SECOND });
  const { sessions, shards, people, peopleShards } = campaign.evidence;
  expect(campaign.violations, report(campaign)).toEqual([]);
  // A campaign without events would prove nothing.
  const calls = sessions.flatMap(({ incode }) => incode.calls);
  expect(sessions.length).toBeGreaterThan(100);
  expect(shards.length).toBeGreaterThan(0);
  expect(calls.filter(({ fault }) => fault !== null).length).toBeGreaterThan(50);
  const opened = people.flatMap((person) => person.opened);
  expect(opened.length).toBeGreaterThan(10);
  expect(opened.flatMap((session) => session.captures.uploads).length).toBeGreaterThan(20);
  expect(people.flatMap(({ starts }) => starts).filter(({ fault }) => fault !== null).length).toBeGreaterThan(0);
  expect(peopleShards.length).toBeGreaterThan(0);
  expect(isInconclusive(campaign.evidence), report(campaign)).toBe(false);
  expect(campaign.taken).toBeGreaterThan(0);
  // The first event of each kind comes within half of the time, even on a slow machine.
  expect(campaign.happened).toEqual(
    expect.arrayContaining(['killWorker', 'freezeWorker', 'killServer', 'killReceiver']),
  );
});
