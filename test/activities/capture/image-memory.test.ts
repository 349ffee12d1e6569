import { describe, expect, it } from 'vitest';
import { ImageMemory } from '../../../src/activities/capture/image-memory.js';
import { thrown } from '../../support/thrown.js';

/** Holds bytes until `end` is called. */
function hold(memory: ImageMemory, bytes: number, signal = new AbortController().signal) {
  let end: () => void = () => undefined;
  const held = { isHeld: false, end: () => end(), done: Promise.resolve() };
  const until = new Promise<void>((resolve) => {
    end = resolve;
  });
  held.done = memory.hold(bytes, signal, () => {
    held.isHeld = true;
    return until;
  });
  return held;
}

/** Lets everything go on that can. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('ImageMemory', () => {
  it('holds as many images as fit, and admits the next one when one has ended', async () => {
    const memory = new ImageMemory(10);
    const images = [4, 6, 1].map((bytes) => hold(memory, bytes));
    await turn();
    expect(images.map(({ isHeld }) => isHeld)).toEqual([true, true, false]);
    images[0]?.end();
    await turn();
    expect(images[2]?.isHeld).toBe(true);
  });

  it('lets no small image overtake a large one', async () => {
    const memory = new ImageMemory(10);
    const [first, large, small] = [5, 9, 1].map((bytes) => hold(memory, bytes));
    await turn();
    expect([large?.isHeld, small?.isHeld]).toEqual([false, false]);
    first?.end();
    await turn();
    expect([large?.isHeld, small?.isHeld]).toEqual([true, true]);
  });

  it('holds an image that is larger than the limit alone', async () => {
    const memory = new ImageMemory(10);
    const [small, huge] = [1, 11].map((bytes) => hold(memory, bytes));
    await turn();
    expect(huge?.isHeld).toBe(false);
    small?.end();
    await turn();
    expect(huge?.isHeld).toBe(true);
  });

  it('gives the room back after a failure, and throws it', async () => {
    const memory = new ImageMemory(10);
    const failing = memory.hold(10, new AbortController().signal, () => Promise.reject(new Error('broken')));
    const next = hold(memory, 10);
    expect(await thrown(failing)).toMatchObject({ message: 'broken' });
    await turn();
    expect(next.isHeld).toBe(true);
  });

  it('ends a wait when its signal is aborted, and admits a smaller image behind it', async () => {
    const memory = new ImageMemory(10);
    hold(memory, 5);
    const ending = new AbortController();
    const large = hold(memory, 9, ending.signal);
    const small = hold(memory, 5);
    ending.abort(new Error('cancelled'));
    expect(await thrown(large.done)).toMatchObject({ message: 'cancelled' });
    await turn();
    expect([large.isHeld, small.isHeld]).toEqual([false, true]);
  });

  it('holds nothing for a signal that is aborted already', async () => {
    const memory = new ImageMemory(10);
    const late = hold(memory, 10, AbortSignal.abort(new Error('cancelled')));
    expect(await thrown(late.done)).toMatchObject({ message: 'cancelled' });
    expect(late.isHeld).toBe(false);
    const next = hold(memory, 10);
    await turn();
    expect(next.isHeld).toBe(true);
  });
});
