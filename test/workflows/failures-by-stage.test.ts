import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { reissuingTokenSource } from '../../src/activities/index.js';
import type { OnboardingInput } from '../../src/contract/index.js';
import type { FaultEffect, SessionSpec, SimulatedOperation } from '../../src/testing/index.js';
import { begin, expectSound, handleOf, until } from '../support/lifecycle.js';
import { untilAt } from '../support/places.js';
import { thrown } from '../support/thrown.js';
import { IMPATIENT, startTestWorld, type TestWorld } from '../support/world.js';

/**
 * The end of a session after a faulty answer in a stage: `done`, the type of its failure, or a wait for a token. A status that is refused
 * once is read again. `-`: not tested.
 */
const TABLE = `
answer              | waiting              | finishing            | closing              | scoring              | inReview             | token source
400                 | IncodeBadRequest     | IncodeBadRequest     | done                 | done                 | done                 | noToken/finishing
401                 | done                 | noToken/finishing    | noToken/closing      | noToken/scoring      | done                 | noToken/finishing
401 that repeats    | noToken/waiting      | noToken/finishing    | noToken/closing      | noToken/scoring      | noToken/inReview     | -
403                 | done                 | done                 | done                 | done                 | done                 | done
404                 | done                 | IncodeUnknownSession | done                 | done                 | done                 | noToken/finishing
404 that repeats    | IncodeUnknownSession | IncodeUnknownSession | done                 | done                 | done                 | -
429                 | done                 | done                 | done                 | done                 | done                 | done
500                 | done                 | done                 | done                 | done                 | done                 | done
503                 | done                 | done                 | done                 | done                 | done                 | done
reset               | done                 | done                 | done                 | done                 | done                 | done
reset, with effect  | done                 | done                 | done                 | done                 | done                 | done
hang                | done                 | done                 | done                 | done                 | done                 | done
hang, with effect   | done                 | done                 | done                 | done                 | done                 | done
truncated           | done                 | done                 | done                 | done                 | done                 | done
a redirect          | done                 | done                 | done                 | done                 | done                 | done
HTML                | done                 | done                 | done                 | done                 | done                 | done
`;

const REPEATS = 10;

const FAULTS: Record<string, FaultEffect & { times?: number }> = {
  '401 that repeats': { kind: 'status', status: 401, times: REPEATS },
  '404 that repeats': { kind: 'status', status: 404, times: REPEATS },
  reset: { kind: 'reset' },
  'reset, with effect': { kind: 'reset', effect: true },
  hang: { kind: 'hang' },
  'hang, with effect': { kind: 'hang', effect: true },
  truncated: { kind: 'truncated' },
  'a redirect': { kind: 'redirect', location: 'http://127.0.0.1:9/' },
  HTML: { kind: 'body', body: '<html>' },
};

interface Stage {
  operation: SimulatedOperation;
  plan?: Exclude<OnboardingInput['plan'], undefined>;
  spec?: SessionSpec;
  /** The look before the finish would meet the fault of the status first. */
  verifyFirst?: 'trust';
}

const STAGES: Record<string, Stage> = {
  waiting: { operation: 'onboardingStatus', plan: { finishWhen: 'processed' }, spec: { processedAfterMs: 200 } },
  finishing: { operation: 'finishStatus' },
  closing: { operation: 'closeSession', plan: { close: true } },
  scoring: { operation: 'score' },
  inReview: {
    operation: 'onboardingStatus',
    verifyFirst: 'trust',
    plan: { review: 'wait' },
    spec: {
      score: { status: 'WARN', value: '61.0' },
      manualReview: { verdict: 'APPROVED', afterMs: 200 },
    },
  },
};

vi.setConfig({ maxConcurrency: 16 });

const POLLS = { processedPollMs: 200, reviewPollMs: 200 };
let world: TestWorld;
let withSource: TestWorld;
beforeAll(async () => {
  [world, withSource] = await Promise.all([
    startTestWorld({ activities: POLLS, incode: IMPATIENT }),
    startTestWorld({
      incode: IMPATIENT,
      tokenSource: (incode) => reissuingTokenSource(incode, { configurationId: 'flow' }),
    }),
  ]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await withSource[Symbol.asyncDispose]();
});

describe.each(Object.entries(STAGES))('a session in %s', (stage, { operation, spec = {}, ...input }) => {
  it.concurrent.each(rowsOf(stage))(
    'a session whose call in its stage is answered "%s" ends as %s',
    async (answer, end) => {
      const { interviewId, token } = await world.simulator.openSession(spec);
      world.simulator.fault({ operation, interviewId, ...faultOf(answer) });
      await world.onboarding.start({ interviewId, sessionToken: token, ...input });
      await expectEnd(world, interviewId, end);
      expect(world.simulator.callsOf(interviewId, operation).filter(({ fault }) => fault).length).toBeGreaterThan(0);
      await expectSound(world, interviewId);
      await stop(world, interviewId);
    },
  );
});

describe('a session that asks the token source', () => {
  // One after another, because a fault of `POST /omni/start` cannot be limited to one session.
  it.each(rowsOf('token source'))(
    'a session whose call of the token source is answered "%s" ends as %s',
    async (answer, end) => {
      const { interviewId } = await withSource.simulator.openSession();
      withSource.simulator.fault({ operation: 'start', ...faultOf(answer) });
      await withSource.onboarding.start({ interviewId });
      await expectEnd(withSource, interviewId, end);
      await expectSound(withSource, interviewId);
      await stop(withSource, interviewId);
    },
  );

  it('does not use the token of another session and waits for a token', async () => {
    const { interviewId } = await withSource.simulator.openSession();
    const body = JSON.stringify({ token: 'of-another', interviewId: 'another' });
    withSource.simulator.fault({ operation: 'start', kind: 'body', body });
    await withSource.onboarding.start({ interviewId });
    await untilAt(withSource, interviewId, 'noToken/finishing');
    expect(withSource.simulator.callsOf(interviewId)).toEqual([]);
    await stop(withSource, interviewId);
  });
});

describe('an outage of Incode', () => {
  it.concurrent.each(Object.entries(STAGES).filter(([stage]) => stage !== 'waiting' && stage !== 'inReview'))(
    'delays a session in %s, which then completes',
    async (stage, { operation, plan, spec }) => {
      const { interviewId } = await begin(world, { ...(plan ? { plan } : {}), sessionToken: 'to-be-renewed' }, spec);
      await untilAt(world, interviewId, 'noToken/finishing');
      world.simulator.fault({ operation, interviewId, kind: 'status', status: 503, times: 2 });
      await world.onboarding.renewToken(interviewId, await world.simulator.issueToken(interviewId));
      await until(async () => (await world.onboarding.state(interviewId)).call?.attempt === 2, true);
      expect((await world.onboarding.state(interviewId)).state?.stage).toBe(stage);
      expect((await world.onboarding.result(interviewId)).outcome).toBe('approved');
      await expectSound(world, interviewId);
    },
  );
});

function rowsOf(stage: string): [answer: string, end: string][] {
  const [head = [], ...rows] = TABLE.trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const column = head.indexOf(stage);
  return rows.map((row): [string, string] => [row[0] ?? '', row[column] ?? '']).filter(([, end]) => end !== '-');
}

function faultOf(answer: string): FaultEffect & { times?: number } {
  return FAULTS[answer] ?? { kind: 'status', status: Number(answer) };
}

async function expectEnd(of: TestWorld, interviewId: string, end: string): Promise<void> {
  if (end === 'done') expect((await of.onboarding.result(interviewId)).outcome).toBe('approved');
  else if (end.startsWith('noToken/')) await untilAt(of, interviewId, end);
  else expect(await thrown(of.onboarding.result(interviewId))).toMatchObject({ type: end });
}

async function stop(of: TestWorld, interviewId: string): Promise<void> {
  await handleOf(of, interviewId)
    .terminate()
    .catch(() => undefined);
}
