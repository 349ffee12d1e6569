import { describe, expect, it } from 'vitest';
import type { SessionReference } from '../../src/nexus/index.js';
import { checkedSession } from '../../src/nexus/input.js';

type FinishInput = SessionReference & { plan?: object };

describe('checkedSession', () => {
  it('returns an input with an interview id and the fields of its operation', () => {
    const input = { interviewId: 'i', plan: {} } as FinishInput;
    expect(checkedSession(input, 'plan')).toBe(input);
  });

  it.each<[string, unknown, string]>([
    ['a missing input', undefined, 'input must be an object'],
    ['a missing interview id', {}, 'interviewId must be a non-empty string'],
    ['an interview id with a space', { interviewId: 'a b' }, 'interviewId must be printable ASCII'],
    ['a field of another operation', { interviewId: 'i', by: '1h' }, 'by is not known; known are interviewId, plan'],
  ])('refuses %s', (_, input, message) => {
    expect(() => checkedSession(input as FinishInput, 'plan')).toThrow(message);
  });
});
