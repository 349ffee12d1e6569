import { describe, expect, it } from 'vitest';
import { ConcurrencyLimit } from '../../../src/activities/batch/concurrency-limit.js';

describe('ConcurrencyLimit', () => {
  it('gives slots in the order of requests', async () => {
    const slots = new ConcurrencyLimit(1);
    expect(slots.acquire()).toBeUndefined();
    const order: number[] = [];
    const waiting = [1, 2, 3].map((who) => slots.acquire()?.then(() => order.push(who)));
    slots.release();
    await waiting[0];
    slots.release();
    await waiting[1];
    expect(order).toEqual([1, 2]);
  });

  it('halves the number of slots when asked to shrink, and grows back', () => {
    const slots = new ConcurrencyLimit(8);
    slots.shrink();
    const taken = () => Array.from({ length: 8 }, () => slots.acquire()).filter((wait) => wait === undefined).length;
    expect(taken()).toBe(4);
    for (let round = 0; round < 100; round += 1) slots.grow();
    // The growth has let in the other four.
    for (let n = 0; n < 8; n += 1) slots.release();
    expect(taken()).toBe(8);
  });

  it('keeps at least one slot', () => {
    const slots = new ConcurrencyLimit(4);
    for (let n = 0; n < 10; n += 1) slots.shrink();
    expect(slots.acquire()).toBeUndefined();
    expect(slots.acquire()).toBeInstanceOf(Promise);
  });
});
