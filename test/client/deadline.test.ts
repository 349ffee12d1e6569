import { describe, expect, it } from 'vitest';
import { isDeadline } from '../../src/client/failures.js';

const grpcError = (code: number) => Object.assign(new Error('of gRPC'), { code, details: '', metadata: {} });
const wrapped = (code: number) => new Error('of the SDK', { cause: grpcError(code) });

describe('isDeadline', () => {
  it.each([grpcError(4), wrapped(4)])('is what gRPC calls so: %s', (error) => {
    expect(isDeadline(error)).toBe(true);
  });

  it('is a call that the server has cancelled when it was over', () => {
    expect(isDeadline(wrapped(1), Date.now())).toBe(true);
  });

  it('is none that was cancelled long before, or that has no deadline', () => {
    expect(isDeadline(wrapped(1), Date.now() + 60_000)).toBe(false);
    expect(isDeadline(wrapped(1))).toBe(false);
  });

  it.each([grpcError(14), wrapped(14), new Error('other')])('is nothing else: %s', (error) => {
    expect(isDeadline(error, Date.now())).toBe(false);
  });
});
