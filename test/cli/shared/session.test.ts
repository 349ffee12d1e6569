import { describe, expect, it } from 'vitest';
import { commandFor } from '../../../src/cli/shared/session.js';

describe('commandFor', () => {
  it('names only the session if the environment names the server', () => {
    expect(commandFor('status', { interviewId: '5f3a' })).toBe('temporal-incode status 5f3a');
  });

  it('repeats the options that name the server, and quotes each value for a shell', () => {
    const options = { interviewId: "it's", address: 'localhost:7233', namespace: 'a b', taskQueue: '$queue' };
    expect(commandFor('complete', options)).toBe(
      `temporal-incode complete 'it'\\''s' --address localhost:7233 --namespace 'a b' --task-queue '$queue'`,
    );
  });
});
