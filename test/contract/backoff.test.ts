import { expect, it } from 'vitest';
import { BACKOFF_COEFFICIENT, backoffMs, MAX_BACKOFF_MS, MIN_BACKOFF_MS } from '../../src/contract/backoff.js';
import { ACTIVITY_OPTIONS } from '../../src/workflows/activity-options.js';

it.each(['finishStatus', 'closeSession', 'score', 'reissueToken'] as const)(
  '%s is retried after 1 s, doubled up to 2 minutes, without a limit of attempts',
  (activity) => {
    expect(ACTIVITY_OPTIONS[activity].retry).toEqual({
      initialInterval: MIN_BACKOFF_MS,
      backoffCoefficient: BACKOFF_COEFFICIENT,
      maximumInterval: MAX_BACKOFF_MS,
    });
    expect([MIN_BACKOFF_MS, BACKOFF_COEFFICIENT, MAX_BACKOFF_MS]).toEqual([1_000, 2, 120_000]);
  },
);

it('doubles the delay of a batch from 1 s to 2 minutes, like the retry policy of a single session', () => {
  expect([1, 2, 3, 7, 8, 9, 2_000].map(backoffMs)).toEqual([1_000, 2_000, 4_000, 64_000, 120_000, 120_000, 120_000]);
});
