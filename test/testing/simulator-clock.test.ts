import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Clock, NEVER } from '../../src/testing/simulator/clock.js';

const DAY = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Clock', () => {
  it('runs a task that is due in 40 days, longer than the longest timer of Node', () => {
    const clock = new Clock();
    const what = vi.fn();
    clock.at(clock.now() + 40 * DAY, what);
    vi.advanceTimersByTime(40 * DAY - 1);
    expect(what).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(what).toHaveBeenCalledOnce();
  });

  it('runs an overdue task soon, but not during the call of at', () => {
    const clock = new Clock();
    const what = vi.fn();
    clock.at(clock.now() - 1, what);
    expect(what).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(what).toHaveBeenCalledOnce();
  });

  it('runs no task once it is stopped', () => {
    const clock = new Clock();
    const what = vi.fn();
    clock.at(clock.now() + 1, what);
    clock.stop();
    clock.at(clock.now() + 1, what);
    vi.advanceTimersByTime(DAY);
    expect(what).not.toHaveBeenCalled();
  });

  it('runs tasks by due time, and tasks with the same due time in the order of at', () => {
    const clock = new Clock();
    const done: string[] = [];
    for (const [name, due] of Object.entries({ d: 5, a: 1, e: 5, b: 2, f: 5, c: 4 })) {
      clock.at(clock.now() + due, () => done.push(name));
    }
    vi.advanceTimersByTime(5);
    expect(done.join('')).toBe('abcdef');
  });
});

describe('Clock.after', () => {
  it.each([
    ['gives', () => 'value'],
    ['promises', async () => 'value'],
  ])('is what somebody %s then, and not before', async (_, what) => {
    const clock = new Clock();
    const settled = vi.fn();
    const had = clock.after(DAY, what).then(settled);
    await vi.advanceTimersByTimeAsync(DAY - 1);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await had;
    expect(settled).toHaveBeenCalledWith('value');
  });

  it('rejects with the error of the task', async () => {
    const clock = new Clock();
    const had = expect(clock.after(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await vi.advanceTimersByTimeAsync(1);
    await had;
  });
});

it('Clock.resume continues from another clock', () => {
  const clock = new Clock();
  const before = clock.now();
  clock.resume(3 * DAY);
  expect([clock.advancedMs, clock.now() - before]).toEqual([3 * DAY, 3 * DAY]);
});

describe('Clock.advance', () => {
  it('runs each task at its own time in order, also tasks that other tasks schedule', async () => {
    const clock = new Clock();
    const start = clock.now();
    const seen: [string, number][] = [];
    const see = (name: string) => seen.push([name, (clock.now() - start) / DAY]);
    clock.at(start + 20 * DAY, () => see('verdict'));
    clock.at(start + 3 * DAY, () => {
      see('processed');
      clock.at(clock.now() + DAY, () => see('told again'));
    });
    clock.at(start + 31 * DAY, () => see('too late'));
    await clock.advance(30 * DAY);
    expect(seen).toEqual([
      ['processed', 3],
      ['told again', 4],
      ['verdict', 20],
    ]);
    expect(clock.now() - start).toBe(30 * DAY);
  });

  it('waits for started and tracked work before it continues', async () => {
    vi.useRealTimers();
    const clock = new Clock();
    const start = clock.now();
    const done: string[] = [];
    const takesTime = async (name: string) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      done.push(name);
      // Like the retry of a webhook, which is scheduled after its answer.
      if (name === 'first') clock.at(clock.now() + DAY, () => takesTime('again'));
    };
    clock.track(takesTime('first'));
    clock.at(start + 3 * DAY, () => done.push('later'));
    await clock.advance(3 * DAY);
    expect(done).toEqual(['first', 'again', 'later']);
    clock.stop();
  });

  it('moves the clock exactly by the given time', async () => {
    const clock = new Clock();
    const start = clock.now();
    const what = vi.fn();
    clock.at(start + 10 * DAY, what);
    await clock.advance(4 * DAY);
    await clock.advance(6 * DAY - 5);
    expect(what).not.toHaveBeenCalled();
    vi.advanceTimersByTime(5);
    expect(what).toHaveBeenCalledOnce();
    expect(clock.advancedMs).toBe(10 * DAY - 5);
  });

  it('adds up two moves at the same time', async () => {
    const clock = new Clock();
    const start = clock.now();
    const at: number[] = [];
    clock.at(start + 15, () => at.push(clock.now() - start));
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(at).toEqual([15]);
    expect(clock.now() - start).toBe(20);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e16, '5', null, undefined])('refuses %s', async (ms) => {
    const clock = new Clock();
    await expect(clock.advance(ms as number)).rejects.toThrow(TypeError);
    expect(clock.advancedMs).toBe(0);
  });

  it('never runs a task that is never due', async () => {
    const clock = new Clock();
    const what = vi.fn();
    clock.at(NEVER, what);
    expect(vi.getTimerCount()).toBe(0);
    await clock.advance(8e15 - clock.now());
    expect(what).not.toHaveBeenCalled();
  });

  it('rejects if the clock is stopped', async () => {
    const clock = new Clock();
    clock.stop();
    await expect(clock.advance(1)).rejects.toThrow('closed');
  });
});
