import { randomBytes } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { textOf } from '../support/history.js';
import { type NexusWorld, startNexusWorld } from '../support/nexus-world.js';

// On a busy machine, requests between namespaces time out, and Temporal retries them with backoff.

const KEYS = `one:${randomBytes(32).toString('base64')}`;
const REDIRECTION = 'https://bank.example/welcome?name=Jane-Roe-of-Nowhere';

let world: NexusWorld;
beforeAll(async () => {
  world = await startNexusWorld({ endpoint: 'encrypted', encryptionKeys: KEYS, callersKeys: KEYS });
});
afterAll(() => world?.close());

/** The whole history as text. */
async function everything(caller: WorkflowHandle): Promise<string> {
  const { events } = await caller.fetchHistory();
  return textOf(events);
}

it('finish returns the answer to a caller with the same keys, and no history contains clear text', async () => {
  const { interviewId, token } = await world.simulator.openSession({ redirectionUrl: REDIRECTION });
  const caller = await world.begin('finish', { interviewId, sessionToken: token });
  expect(await caller.result()).toMatchObject({ result: { action: 'approved', redirectionUrl: REDIRECTION } });
  const text = await everything(caller);
  expect(text).toContain('encryption-key-id');
  expect([token, 'Jane-Roe', 'confirmedBy'].filter((secret) => text.includes(secret))).toEqual([]);
});

it.each(['finish', 'complete'] as const)(
  '%s returns its failure to a caller with the same keys, and no history contains the token',
  async (operation) => {
    const { interviewId, token } = await world.simulator.openSession();
    world.simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 404, times: 9 });
    const caller = await world.begin(operation, { interviewId, sessionToken: token });
    expect(await caller.result()).toMatchObject({
      failure: { type: 'IncodeUnknownSession', message: expect.stringContaining('answered 404') },
    });
    expect((await everything(caller)).includes(token)).toBe(false);
  },
);
