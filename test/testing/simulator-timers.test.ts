import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Timers } from '../../src/testing/simulator/timers.js';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a timer of 40 days fires after 40 days, though Node waits for 24 at most', () => {
  const what = vi.fn();
  new Timers().at(Date.now() + 40 * DAY, what);
  vi.advanceTimersByTime(40 * DAY - 1);
  expect(what).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(what).toHaveBeenCalledOnce();
});

it('what is due already is done soon, but not within the call', () => {
  const what = vi.fn();
  new Timers().at(Date.now() - 1, what);
  expect(what).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(what).toHaveBeenCalledOnce();
});

it('nothing fires once they are stopped, or is set afterwards', () => {
  const what = vi.fn();
  const timers = new Timers();
  timers.at(Date.now() + 1, what);
  timers.stop();
  timers.at(Date.now() + 1, what);
  vi.advanceTimersByTime(DAY);
  expect(what).not.toHaveBeenCalled();
});
