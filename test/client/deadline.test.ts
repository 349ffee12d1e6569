import { describe, expect, it } from 'vitest';
import { isDeadline } from '../../src/client/failures.js';

const grpcError = (code: number) => Object.assign(new Error('of gRPC'), { code, details: '', metadata: {} });
const wrapped = (code: number) => new Error('of the SDK', { cause: grpcError(code) });

describe('isDeadline', () => {
  it.each([grpcError(4), wrapped(4)])('isDeadline is true for DEADLINE_EXCEEDED: %s', (error) => {
    expect(isDeadline(error)).toBe(true);
  });

  it('isDeadline is true for a call that the server cancels at the deadline', () => {
    expect(isDeadline(wrapped(1), Date.now())).toBe(true);
  });

  it('isDeadline is false for a call that is cancelled before its deadline or has none', () => {
    expect(isDeadline(wrapped(1), Date.now() + 60_000)).toBe(false);
    expect(isDeadline(wrapped(1))).toBe(false);
  });

  it.each([grpcError(14), wrapped(14), new Error('other')])('isDeadline is false for other errors: %s', (error) => {
    expect(isDeadline(error, Date.now())).toBe(false);
  });
});
