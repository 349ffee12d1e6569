import { describe, expect, it } from 'vitest';
import { Window } from '../../src/client/batch/window.js';
import { thrown } from '../support/thrown.js';

interface Deferred {
  promise: Promise<string>;
  resolve: (value: string) => void;
  reject: (error: unknown) => void;
}

function deferred(): Deferred {
  const one = {} as Deferred;
  one.promise = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
  return one;
}

function filled({ limit = 10, inOrder = true, count = 3 } = {}) {
  const window = new Window<string>(limit, inOrder);
  const results = Array.from({ length: count }, deferred) as [Deferred, Deferred, Deferred];
  for (const { promise } of results) window.add(promise);
  return { window, results };
}

/** Whether the promise is still pending after all settled work has been processed. */
async function waits(work: Promise<unknown>): Promise<boolean> {
  const later = Symbol('later');
  const turn = new Promise((resolve) => setImmediate(resolve, later));
  return (await Promise.race([work, turn])) === later;
}

describe('Window.take', () => {
  it('yields results in order', async () => {
    const { window, results } = filled();
    const first = window.take();
    results[2].resolve('c');
    results[1].resolve('b');
    expect(await waits(first)).toBe(true);
    results[0].resolve('a');
    expect([await first, await window.take(), await window.take()].map((one) => one?.value)).toEqual(['a', 'b', 'c']);
  });

  it('take yields results as they complete', async () => {
    const { window, results } = filled({ inOrder: false });
    const first = window.take();
    results[2].resolve('c');
    expect(await first).toEqual({ value: 'c' });
    results[0].resolve('a');
    expect(await window.take()).toEqual({ value: 'a' });
    const last = window.take();
    expect(await waits(last)).toBe(true);
    results[1].resolve('b');
    expect(await last).toEqual({ value: 'b' });
  });

  it('take yields the results that are pending when the window is closed', async () => {
    const { window, results } = filled({ count: 1 });
    expect(window.isClosed).toBe(false);
    window.close();
    expect(window.isClosed).toBe(true);
    const last = window.take();
    expect(await waits(last)).toBe(true);
    results[0].resolve('a');
    expect(await last).toEqual({ value: 'a' });
    expect(await window.take()).toBeUndefined();
  });

  it('a pending take ends when the window is closed', async () => {
    const window = new Window<string>(1, true);
    const next = window.take();
    expect(await waits(next)).toBe(true);
    window.close();
    expect(await next).toBeUndefined();
  });
});

describe('Window.room', () => {
  it('room waits while the limit is reached', async () => {
    const { window, results } = filled({ limit: 3, count: 2 });
    expect(await waits(window.room())).toBe(false);
    window.add(deferred().promise);
    const room = window.room();
    results[0].resolve('a');
    // A settled result still needs room until it is taken.
    expect(await waits(room)).toBe(true);
    await window.take();
    expect(await waits(room)).toBe(false);
  });

  it('room ends its wait when the window is closed', async () => {
    const { window } = filled({ limit: 3 });
    const room = window.room();
    expect(await waits(room)).toBe(true);
    window.close();
    expect(await waits(room)).toBe(false);
  });
});

describe('Window with an error', () => {
  const problem = new Error('the server is gone');

  it('the error of a result closes the window and is thrown by take', async () => {
    const { window, results } = filled();
    results[0].resolve('a');
    await waits(Promise.resolve());
    const next = thrown(window.take().then(() => window.take()));
    results[1].reject(problem);
    expect(await next).toBe(problem);
    expect(window.isClosed).toBe(true);
    expect(await waits(window.room())).toBe(false);
  });

  it('an error is thrown before settled results', async () => {
    const { window, results } = filled();
    results[0].resolve('a');
    window.close(problem);
    expect(await thrown(window.take())).toBe(problem);
  });

  it('the first error is thrown even if it arrives after the end', async () => {
    const { window } = filled();
    window.close();
    window.close(problem);
    window.close(new Error('another'));
    window.close();
    expect(await thrown(window.take())).toBe(problem);
  });
});
