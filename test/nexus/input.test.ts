import { describe, expect, it } from 'vitest';
import type { SessionInput } from '../../src/nexus/index.js';
import { checkedSession } from '../../src/nexus/input.js';

type FinishInput = SessionInput & { plan?: object };

describe('the input of an operation', () => {
  it('is about a session, and has the fields of that operation', () => {
    const input = { interviewId: 'i', plan: {} } as FinishInput;
    expect(checkedSession(input, 'plan')).toBe(input);
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'input must be an object'],
    ['no id', {}, 'interviewId must be a non-empty string'],
    ['an id that could inject something', { interviewId: 'a b' }, 'interviewId must be printable ASCII'],
    ['a field of another operation', { interviewId: 'i', by: '1h' }, 'by is not known; known are interviewId, plan'],
  ])('is not %s', (_, input, message) => {
    expect(() => checkedSession(input as FinishInput, 'plan')).toThrow(message);
  });
});
