import { describe, expect, it } from 'vitest';
import { segmentsOf } from '../../src/console/timeline-layout.js';

const START = Date.parse('2026-11-30T12:00:00Z');
const entry = (seconds: number, event: string) => ({ at: new Date(START + seconds * 1_000).toISOString(), event });
const at = (seconds: number) => START + seconds * 1_000;

describe('segmentsOf', () => {
  it('makes one part for each stay in a stage, the last one until the end', () => {
    const timeline = [
      entry(0, 'Started'),
      entry(0, 'Stage: finishing'),
      entry(60, 'Stage: scoring'),
      entry(90, 'Score: OK'),
    ];
    const parts = segmentsOf(timeline, at(120));
    expect(parts.map(({ stage, from, to }) => [stage, from, to])).toEqual([
      ['finishing', at(0), at(60)],
      ['scoring', at(60), at(120)],
    ]);
    expect(parts.map(({ events }) => events)).toEqual([[], [0.5]]);
  });

  it('ends with the stage done', () => {
    const timeline = [
      entry(0, 'Started'),
      entry(0, 'Stage: finishing'),
      entry(5, 'Stage: done'),
      entry(5, 'Outcome: approved'),
    ];
    expect(segmentsOf(timeline, at(900)).map(({ stage, to }) => [stage, to])).toEqual([['finishing', at(5)]]);
  });

  it('shows the time before the first stage if it took long or something happened in it', () => {
    expect(segmentsOf([entry(0, 'Started'), entry(3, 'Stage: finishing')], at(4)).map(({ stage }) => stage)).toEqual([
      'started',
      'finishing',
    ]);
    const early = [entry(0, 'Started'), entry(0, 'A session token was handed in'), entry(0, 'Stage: finishing')];
    expect(segmentsOf(early, at(0)).map(({ stage, events }) => [stage, events])).toEqual([
      ['started', [0, 0]],
      ['finishing', []],
    ]);
  });

  it('gives a longer stay more room, but not all of it', () => {
    const timeline = [entry(0, 'Started'), entry(0, 'Stage: finishing'), entry(1, 'Stage: inReview')];
    const [short, long] = segmentsOf(timeline, at(30 * 86_400)).map(({ weight }) => weight);
    expect(Number(long)).toBeGreaterThan(Number(short));
    expect(Number(long) / Number(short)).toBeLessThan(10);
  });

  it('has no parts without a timeline', () => {
    expect(segmentsOf([], at(0))).toEqual([]);
  });

  it('keeps an event within its part if clocks differ', () => {
    const timeline = [entry(0, 'Started'), entry(1, 'Stage: scoring'), entry(9, 'Score: OK')];
    expect(segmentsOf(timeline, at(3)).at(-1)?.events).toEqual([1]);
  });
});
