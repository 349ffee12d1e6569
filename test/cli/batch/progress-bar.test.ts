import { describe, expect, it } from 'vitest';
import { progressText } from '../../../src/cli/batch/progress-bar.js';
import type { BatchRunProgress } from '../../../src/client/index.js';

const PROGRESS: BatchRunProgress = {
  batchId: 'b',
  total: 6,
  handedOver: 6,
  attached: 0,
  done: 3,
  failed: 1,
  stopped: 0,
  waiting: 2,
  perSecond: 0,
  timeLeftMs: null,
  paused: false,
  heldUpBy: null,
};

describe('progressText', () => {
  it.each([
    [0, '0/s'],
    [0.2, '12/min'],
    [0.01, '1/min'],
    [1, '1/s'],
    [1_234.5, '1,235/s'],
  ])('shows a rate of %d a second as %s', (perSecond, shown) => {
    expect(progressText({ ...PROGRESS, perSecond }, 6)).toBe(`4 of 6, 1 failed, 2 waiting, ${shown}`);
  });

  it('counts what was stopped apart from what failed', () => {
    const progress = { ...PROGRESS, failed: 0, stopped: 3, waiting: 0 };
    expect(progressText(progress, 6)).toBe('6 of 6, 3 stopped, 0/s');
  });

  it('shows the time left, a pause and what holds the batch up', () => {
    const progress = { ...PROGRESS, failed: 0, waiting: 0, timeLeftMs: 90_000, paused: true, heldUpBy: 'Incode' };
    expect(progressText(progress, 6)).toBe('3 of 6, 0/s, 2 min left, paused, held up: Incode');
  });
});
