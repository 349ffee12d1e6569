import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FAILURES } from '../../../src/contract/index.js';
import { type CaptureWorld, failureOf, pinned, startCaptureWorld } from '../../support/capture-world.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
});

const PLAN = { government: true, watchlist: true } as const;

describe('a session token that Incode refuses to renew', () => {
  it.each(['processId', 'processFace', 'governmentValidation', 'watchlist'] as const)(
    'fails the person with the answer to the renewal, and does not count as a refusal of %s',
    async (operation) => {
      const back = await world.image();
      const { sha256 } = await pinned(world, back);
      // With a refused image, Incode's refusal to process the document counts as its answer.
      if (operation === 'processId') {
        world.simulator.script({ operation: 'addBackId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
      }
      world.simulator.fault({ operation, kind: 'status', status: 401 });
      world.simulator.fault({ operation: 'start', skip: 1, kind: 'status', status: 400 });
      const input = await world.person({ back, plan: PLAN });
      const failure = await failureOf(world.start(input));
      const [session] = world.sessionsOf(input);
      expect(failure.type).toBe(FAILURES.badRequest);
      expect(failure.details?.[0]).toMatchObject({
        reference: input.reference,
        interviewId: session?.interviewId,
        operation: 'start',
        httpStatus: 400,
      });
      expect(world.simulator.effects(String(session?.interviewId)).finished).toBe(0);
    },
  );
});
