import { describe, expect, it } from 'vitest';
import { IncodeError, type IncodeErrorKind } from '../../src/incode/index.js';
import { clientOf } from '../support/incode.js';
import { cases, fc } from '../support/property.js';
import {
  callOf,
  hostileAnswer,
  kindsOf,
  OPERATIONS,
  type Operation,
  type WholeAnswer,
  wholeAnswer,
} from './hostile-answers.js';
import { type Script, serveScripts } from './hostile-server.js';

// Whatever bytes come back, a call returns the real answer, or an error that does not claim more than what happened.

type Outcome = { kind: 'answer'; answer: unknown } | { kind: IncodeErrorKind; error: IncodeError };

async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    return { kind: 'answer', answer: await call };
  } catch (error) {
    // Any other error is a crash.
    if (!(error instanceof IncodeError)) throw error;
    return { kind: error.kind, error };
  }
}

/** Makes all calls at once over two connections, so that calls reuse the connections of others. */
async function play(scripts: (Script & { operation: Operation })[], deadlineMs: number) {
  await using server = await serveScripts(scripts);
  const client = clientOf(server.url, { timeoutMs: deadlineMs, finishTimeoutMs: deadlineMs, connections: 2 });
  const outcomes = await Promise.all(scripts.map(({ operation }, at) => outcomeOf(callOf(client, operation, at))));
  await client.close();
  return outcomes.map((outcome, at) => ({ ...outcome, arrived: server.arrived.has(at) }));
}

function callsWith<T extends Script>(answer: (operation: Operation, mark: string) => fc.Arbitrary<T>) {
  const call = (index: number) =>
    fc
      .constantFrom(...OPERATIONS)
      .chain((operation) => answer(operation, `M${index}`).map((script) => ({ ...script, operation })));
  return fc
    .integer({ min: 1, max: 6 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => call(at))));
}

describe('complete answers', () => {
  const seen = new Set<string>();

  it('returns a complete answer exactly, or the kind of its status', async () => {
    await fc.assert(
      fc.asyncProperty(callsWith<WholeAnswer>(wholeAnswer), async (calls) => {
        const outcomes = await play(calls, 60_000);
        for (const [at, { status, answer, operation }] of calls.entries()) {
          const outcome = outcomes[at];
          const expected = kindsOf(status).includes('answer') && answer ? 'answer' : kindsOf(status).at(-1);
          expect(outcome?.kind, `${operation}, ${status}`).toBe(expected);
          if (outcome?.kind === 'answer') expect(outcome.answer).toEqual(answer);
          seen.add(`${outcome?.kind}`);
        }
      }),
      cases(1.5),
    );
  });

  it('the complete answers of the test before were of every kind', () => {
    expect([...seen].sort()).toEqual([
      ...[
        'answer',
        'apiKeyRefused',
        'badRequest',
        'maybeRunning',
        'methodNotAllowed',
        'misconfigured',
        'notAcceptable',
      ],
      ...['notTaken', 'resultUnknown', 'tokenRefused', 'unknownSession'],
    ]);
  });
});

describe('broken answers', () => {
  it('never returns more than what was sent, and never notTaken unless the status says so', async () => {
    await fc.assert(
      fc.asyncProperty(callsWith<Script>(hostileAnswer), async (calls) => {
        const outcomes = await play(calls, 80);
        for (const [at, { pieces, operation }] of calls.entries()) {
          const outcome = outcomes[at];
          const sent = Buffer.concat(pieces);
          const what = `${operation}: ${JSON.stringify(sent.toString('latin1').slice(0, 300))}`;
          const statuses = [...sent.toString('latin1').matchAll(/HTTP\/\d\.\d (\d{3})/g)].map(([, status]) =>
            Number(status),
          );
          const kinds = statuses.flatMap(kindsOf);
          // The connection ended before the answer was understood.
          kinds.push('maybeRunning', 'resultUnknown');
          if (!outcome?.arrived) kinds.push('notTaken');
          expect(kinds, what).toContain(outcome?.kind);
          if (outcome?.kind === 'answer')
            for (const value of claims(outcome.answer)) expect(sent.toString(), what).toContain(value);
        }
      }),
      cases(1.2),
    );
  });
});

/** The values of an answer, in the form in which the bytes must contain them. */
function claims(answer: unknown): string[] {
  return Object.values(answer as Record<string, unknown>)
    .filter((value) => value !== null)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value)));
}
