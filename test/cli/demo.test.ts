import { describe, expect, it } from 'vitest';
import { run } from '../support/cli.js';

describe('temporal-incode demo', () => {
  it('completes each session and each person from images once, through all of its faults', async () => {
    // A server of others must not get the worker of the simulated Incode. Nothing listens at this address.
    const { code, stdout, stderr } = await run(['demo', '--json'], '', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const { asExpected, rows } = JSON.parse(stdout);
    expect({ code, asExpected, rows }, stderr).toEqual({
      code: 0,
      asExpected: true,
      rows: Array.from({ length: 10 }, () => expect.objectContaining({ timesFinished: 1, asExpected: true })),
    });
    expect(rows.map(({ session }: { session: string }) => session)).toEqual(
      expect.arrayContaining(['person from images', 'person, two answers lost']),
    );
  });
});
