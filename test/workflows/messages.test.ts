import { QueryNotRegisteredError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FAILURES } from '../../src/contract/index.js';
import { expectSound, finishElsewhere, handleOf, type Started, stateOf } from '../support/lifecycle.js';
import { bringTo, PLACES, type Place, untilAt, whereIs } from '../support/places.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

/**
 * Every message at every place of a session. A cell has the answer to the sender and the place of the session afterwards. `=` means the
 * same place as before.
 *
 * - `ok`: accepted; `pending`: accepted, with an answer later; `gone`: the workflow has ended;
 * - `invalid`, `wrongStage`: refused with a failure of that type; `unknown`: there is no such message.
 */
const TABLE = `
message               | waiting         | in flight    | in retry     | noToken/waiting           | noToken/finishing  | noToken/scoring | closing      | scoring   | inReview  | done
finish                | ok done         | pending =    | pending =    | pending noToken/finishing | pending =          | ok =            | ok =         | ok =      | ok =      | gone =
renewToken good       | ok =            | ok =         | ok =         | ok waiting                | ok done            | ok done         | ok =         | ok =      | ok =      | gone =
renewToken the same   | ok =            | ok =         | ok =         | invalid =                 | invalid =          | invalid =       | ok =         | ok =      | ok =      | gone =
renewToken bad        | invalid =       | invalid =    | invalid =    | invalid =                 | invalid =          | invalid =       | invalid =    | invalid = | invalid = | gone =
renewToken null       | invalid =       | invalid =    | invalid =    | invalid =                 | invalid =          | invalid =       | invalid =    | invalid = | invalid = | gone =
extendDeadline good   | ok =            | wrongStage = | wrongStage = | ok =                      | wrongStage =       | ok =            | wrongStage = | ok =      | ok =      | gone =
extendDeadline bad    | invalid =       | invalid =    | invalid =    | invalid =                 | invalid =          | invalid =       | invalid =    | invalid = | invalid = | gone =
extendDeadline none   | invalid =       | invalid =    | invalid =    | invalid =                 | invalid =          | invalid =       | invalid =    | invalid = | invalid = | gone =
state                 | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | ok =
cancel                | ok cancelled    | ok cancelled | ok cancelled | ok cancelled              | ok cancelled       | ok cancelled    | ok cancelled | ok cancelled | ok cancelled | ok =
an unknown update     | unknown =       | unknown =    | unknown =    | unknown =                 | unknown =          | unknown =       | unknown =    | unknown = | unknown = | gone =
an unknown signal     | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
an unknown query      | unknown =       | unknown =    | unknown =    | unknown =                 | unknown =          | unknown =       | unknown =    | unknown = | unknown = | unknown =
UNKNOWN               | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
ID_VALIDATION_FINISHED| ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
POST_PROCESSING_FINISHED       | ok done | ok =        | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
FACE_VALIDATION_FINISHED       | ok done | ok =        | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
GOVERNMENT_VALIDATION_FINISHED | ok done | ok =        | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
ONBOARDING_FINISHED            | ok done | ok =        | ok =         | ok noToken/scoring        | ok noToken/scoring | ok =            | ok =         | ok =      | ok =      | gone =
ONBOADING_FINISHED             | ok done | ok =        | ok =         | ok noToken/scoring        | ok noToken/scoring | ok =            | ok =         | ok =      | ok =      | gone =
MANUAL_REVIEW_PENDING          | ok done | ok =        | ok =         | ok noToken/scoring        | ok noToken/scoring | ok =            | ok =         | ok =      | ok =      | gone =
MANUAL_REVIEW_APPROVED         | ok done | ok =        | ok =         | ok noToken/scoring        | ok noToken/scoring | ok =            | ok =         | ok =      | ok done   | gone =
MANUAL_REVIEW_REJECTED         | ok done | ok =        | ok =         | ok noToken/scoring        | ok noToken/scoring | ok =            | ok =         | ok =      | ok done   | gone =
EXPIRED               | ok done         | ok =         | ok =         | ok done                   | ok done            | ok =            | ok =         | ok =      | ok =      | gone =
BRAND_NEW             | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of nothing   | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of null      | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of a number  | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of a list    | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of bytes     | ok =            | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal without a status      | ok =   | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal with an object for it | ok =   | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal with a text of 1 MB   | ok =   | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
a signal of another session    | ok =   | ok =         | ok =         | ok =                      | ok =               | ok =            | ok =         | ok =      | ok =      | gone =
`;

type Send = (session: Started) => Promise<unknown>;

const update =
  (name: string, ...args: [unknown?]): Send =>
  ({ interviewId }) =>
    handleOf(world, interviewId).executeUpdate(name, { args: args as [unknown] });
const signal =
  (...args: unknown[]): Send =>
  ({ interviewId }) =>
    handleOf(world, interviewId).signal('statusChanged', ...args);

const MESSAGES: Record<string, Send> = {
  // Waits only until the update is accepted, because its answer may come much later.
  finish: ({ interviewId }) => handleOf(world, interviewId).startUpdate('finish', { waitForStage: 'ACCEPTED' }),
  'renewToken good': async (session) =>
    update('renewToken', { sessionToken: await world.simulator.issueToken(session.interviewId) })(session),
  'renewToken the same': (session) => update('renewToken', { sessionToken: session.token })(session),
  'renewToken bad': update('renewToken', { sessionToken: 'a\r\nx-api-key: b' }),
  'renewToken null': update('renewToken', null),
  'extendDeadline good': update('extendDeadline', { by: '2 days' }),
  'extendDeadline bad': update('extendDeadline', { by: '2 dys' }),
  'extendDeadline none': update('extendDeadline'),
  state: ({ interviewId }) => handleOf(world, interviewId).query('state'),
  cancel: ({ interviewId }) => handleOf(world, interviewId).cancel(),
  'an unknown update': update('finnish'),
  'an unknown signal': ({ interviewId }) => handleOf(world, interviewId).signal('statusChange', {}),
  'an unknown query': ({ interviewId }) => handleOf(world, interviewId).query('status'),
  'a signal of nothing': signal(),
  'a signal of null': signal(null),
  'a signal of a number': signal(404),
  'a signal of a list': signal(['EXPIRED']),
  'a signal of bytes': signal(new Uint8Array([0, 255])),
  'a signal without a status': signal({ status: 'EXPIRED' }),
  'a signal with an object for it': signal({ onboardingStatus: { toString: 'EXPIRED', length: 7 } }),
  'a signal with a text of 1 MB': signal({ onboardingStatus: 'EXPIRED'.repeat(150_000) }),
  'a signal of another session': signal({ interviewId: 'another', onboardingStatus: 'EXPIRED' }),
};

// Rows wait for the server most of the time.
vi.setConfig({ maxConcurrency: 16 });

let world: TestWorld;
beforeAll(async () => {
  // Incode's own limit is longer than a row takes, so that a hanging call stays in flight.
  world = await startTestWorld({ simulator: { timeScale: 1 }, incode: { finishTimeoutMs: 60_000 } });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Places where a webhook decides something if Incode confirms it. */
const ASKED_ABOUT: readonly Place[] = [
  'waiting',
  'noToken/waiting',
  'noToken/finishing',
  'noToken/scoring',
  'inReview',
];

type Row = [message: string, answer: string, after: string];

/** So few that a hanging call stays in flight meanwhile. */
const ROWS_OF_A_SESSION = 9;

describe.each(PLACES)('a session in %s', (place) => {
  const rows = rowsAt(place);
  // A session that stays where it is can get the next message.
  const staying = rows.filter(([, answer, after]) => after === '=' && answer !== 'pending');
  const moving = rows.filter((row) => !staying.includes(row));

  it.concurrent.each(inGroups(staying))('a session keeps its place after: %s', async (_, group) => {
    const session = await bringTo(world, place);
    const before = await whereIs(world, session.interviewId);
    for (const [message, answer] of group) {
      expect({ message, answer: await answerTo(message, session, place) }).toEqual({ message, answer });
      if (message === 'finish' && answer === 'ok') await expectSameAnswer(session.interviewId);
      // A message may take it elsewhere for a moment: a longer deadline begins the wait for a token again.
      await untilAt(world, session.interviewId, before);
    }
    await endOf(session);
  });

  it.concurrent.each(moving)('answers "%s" with "%s", and the place is then "%s"', async (message, answer, after) => {
    const session = await bringTo(world, place);
    const { interviewId } = session;
    const before = await whereIs(world, interviewId);
    expect(await answerTo(message, session, place)).toBe(answer === 'pending' ? 'ok' : answer);
    await untilAt(world, interviewId, after === '=' ? before : after);
    if (answer === 'pending') expect((await stateOf(world, interviewId)).finish).toBeNull();
    if (message === 'finish' && answer === 'ok') await expectSameAnswer(interviewId);
    await endOf(session);
  });
});

function inGroups(rows: Row[]): [messages: string, group: Row[]][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_OF_A_SESSION) }, (_, index) => {
    const group = rows.slice(index * ROWS_OF_A_SESSION, (index + 1) * ROWS_OF_A_SESSION);
    return [group.map(([message]) => message).join(', '), group];
  });
}

/** A second `finish` has the answer of the first. */
async function expectSameAnswer(interviewId: string): Promise<void> {
  expect(await handleOf(world, interviewId).executeUpdate('finish').catch(sameAnswer)).toBeDefined();
}

async function answerTo(message: string, session: Started, place: Place): Promise<string> {
  const { interviewId } = session;
  const send = MESSAGES[message];
  if (send) return answerOf(send(session));
  // At the other places, a forged webhook has the same effect as a true one.
  if (ASKED_ABOUT.includes(place)) {
    if (place === 'waiting' && /ONBOA|MANUAL/.test(message)) await finishElsewhere(world, interviewId);
    world.simulator.setOnboardingStatus(interviewId, message);
  }
  return answerOf(signal({ interviewId, onboardingStatus: message })(session));
}

async function endOf({ interviewId }: Started): Promise<void> {
  await expectSound(world, interviewId);
  await handleOf(world, interviewId)
    .terminate()
    .catch(() => undefined);
}

function rowsAt(place: Place): Row[] {
  const [head = [], ...rows] = TABLE.trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const column = head.indexOf(place);
  return rows.map((row): Row => {
    const [answer = '', ...after] = (row[column] ?? '').split(' ');
    return [row[0] ?? '', answer, after.join(' ')];
  });
}

async function answerOf(sent: Promise<unknown>): Promise<string> {
  try {
    await sent;
    return 'ok';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'gone';
    if (error instanceof QueryNotRegisteredError) return 'unknown';
    if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    const { type, message } = error.cause;
    if (/No registered handler/.test(message)) return 'unknown';
    return { [FAILURES.invalidInput]: 'invalid', [FAILURES.wrongStage]: 'wrongStage' }[type ?? ''] ?? `${type}`;
  }
}

/** A session that has ended meanwhile has no handler. Its result has the answer. */
function sameAnswer(error: unknown): true {
  if (error instanceof WorkflowNotFoundError) return true;
  throw error;
}
