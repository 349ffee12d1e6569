import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stragglers } from '../../../src/activities/batch/stragglers.js';

describe('Stragglers', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Sessions that started at 0. Each ends when the test ends it. */
  function begin(stragglers: Stragglers, count: number): (() => Promise<void>)[] {
    return Array.from({ length: count }, () => {
      let end = () => {};
      const ended = stragglers.time(() => new Promise<void>((resolve) => (end = resolve)));
      return () => {
        end();
        return ended;
      };
    });
  }

  it('finds sessions that take more than ten seconds while all others took far less', async () => {
    const stragglers = new Stragglers();
    const [quick] = begin(stragglers, 2);
    now = 1_000;
    await quick?.();
    now = 10_000;
    expect(stragglers.areLeft).toBe(false);
    now = 10_001;
    expect(stragglers.areLeft).toBe(true);
  });

  it('finds none before a session has ended, because Incode may be slow for all', () => {
    const stragglers = new Stragglers();
    expect(stragglers.areLeft).toBe(false);
    begin(stragglers, 3);
    now = 60_000;
    expect(stragglers.areLeft).toBe(false);
  });

  it('finds none if other sessions took a quarter as long', async () => {
    const stragglers = new Stragglers();
    const [slow] = begin(stragglers, 2);
    now = 8_000;
    await slow?.();
    now = 32_000;
    expect(stragglers.areLeft).toBe(false);
    now = 32_001;
    expect(stragglers.areLeft).toBe(true);
  });

  it('areLeft is false while another session has just started', async () => {
    const stragglers = new Stragglers();
    const [quick, hanging] = begin(stragglers, 2);
    await quick?.();
    now = 20_000;
    const [young] = begin(stragglers, 1);
    expect(stragglers.areLeft).toBe(false);
    await young?.();
    expect(stragglers.areLeft).toBe(true);
    await hanging?.();
    expect(stragglers.areLeft).toBe(false);
  });
});
