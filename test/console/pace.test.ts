import { describe, expect, it } from 'vitest';
import { PaceMeter } from '../../src/console/pace.js';

const START = Date.parse('2026-11-30T12:00:00Z');

describe('PaceMeter', () => {
  it('knows no rate from one look', () => {
    expect(new PaceMeter().add(10, 90, START)).toEqual({ perSecond: null, timeLeftMs: null });
  });

  it('tells the rate and the time that is left', () => {
    const meter = new PaceMeter();
    meter.add(10, 90, START);
    expect(meter.add(30, 70, START + 10_000)).toEqual({ perSecond: 2, timeLeftMs: 35_000 });
  });

  it('shows an outage after a minute', () => {
    const meter = new PaceMeter();
    meter.add(0, 100, START);
    meter.add(50, 50, START + 10_000);
    meter.add(50, 50, START + 40_000);
    expect(meter.add(50, 50, START + 70_001)).toEqual({ perSecond: 0, timeLeftMs: null });
  });

  it('has nothing left at the end', () => {
    const meter = new PaceMeter();
    expect(meter.add(100, 0, START)).toEqual({ perSecond: null, timeLeftMs: 0 });
  });
});
