import { describe, expect, it } from 'vitest';
import { parseStatusChanged, resolvePlan } from '../../src/contract/guards.js';
import {
  checkBatchInput,
  checkExtendDeadlineInput,
  checkOnboardingInput,
  checkRenewTokenInput,
  InvalidInputError,
} from '../../src/contract/index.js';
import { cases, fc, printable } from '../support/property.js';
import { isValid } from '../support/schema.js';

// Generated inputs, most of them nearly valid. Rules that the schema cannot express are in schema.test.ts and not generated here.

const json = fc.jsonValue({ maxDepth: 1 });
const nearly = (valid: fc.Arbitrary<unknown>) => fc.oneof({ weight: 6, arbitrary: valid }, json, fc.string());
const length = (...lengths: number[]) => fc.constantFrom(...lengths).map((count) => 'x'.repeat(count));

const id = nearly(fc.oneof(printable(30), length(200, 201), fc.constantFrom('a b', 'a\n', '\na', 'é', '\x7f', ' ')));
const token = nearly(fc.oneof(printable(30), length(16_384, 16_385), fc.constantFrom('x\r\ny', 'a\n', null)));
const flowId = nearly(fc.oneof(printable(30), length(200, 201), fc.constant(null)));
const flag = nearly(fc.oneof(fc.boolean(), fc.constant(null)));
const duration = nearly(
  fc
    .tuple(
      fc.oneof(
        fc.integer({ min: 0, max: 500 }).map(String),
        fc.constantFrom('1.5', '0.0', '.5', '1.', '00', '-1', '1e3', ''),
      ),
      fc.constantFrom('', ' ', '   ', '\t', '\n', '\u00a0'),
      fc.constantFrom('s', 'SECS', 'Minute', 'hours', 'd', 'weeks', 'y', 'month', 'toString', ''),
    )
    .map((parts) => parts.join('')),
);

/** Any of these fields, and sometimes an unknown one. */
function object(fields: Record<string, fc.Arbitrary<unknown>>, required: string[] = []): fc.Arbitrary<unknown> {
  const known = fc.record(fields, { requiredKeys: [] });
  const complete = fc.record(fields, { requiredKeys: required });
  const more = fc.dictionary(
    fc.string(),
    json.filter((value) => value !== null),
    { minKeys: 1, maxKeys: 1 },
  );
  return fc.oneof(
    { weight: 8, arbitrary: complete },
    known,
    fc.tuple(complete, more).map(([one, other]) => ({ ...one, ...other })),
    json,
  );
}

const batchPlan = object({ close: flag, score: flag, scoreDeadline: duration });
const plan = object({
  finishWhen: nearly(fc.constantFrom('now', 'processed', 'asked', null, 'later')),
  captureDeadline: duration,
  close: flag,
  score: flag,
  scoreDeadline: duration,
  review: nearly(fc.constantFrom('report', 'wait', null, true)),
  reviewDeadline: duration,
});
const verifyFirst = nearly(fc.constantFrom('look', 'settle', 'trust', true, false, null));
const session = fc.oneof(
  { weight: 8, arbitrary: fc.record({ interviewId: printable(30), sessionToken: fc.option(printable(30)) }) },
  object({ interviewId: id, sessionToken: token, flowId }, ['interviewId']),
);
const distinct = {
  selector: (value: unknown) => JSON.stringify((value as { interviewId?: unknown } | null)?.interviewId),
};

type Guard = (value: unknown) => unknown;
const CONTRACT: [type: string, guard: Guard, input: fc.Arbitrary<unknown>][] = [
  [
    'OnboardingInput',
    checkOnboardingInput,
    object({ interviewId: id, sessionToken: token, flowId, plan, verifyFirst }, ['interviewId']),
  ],
  ['RenewTokenInput', checkRenewTokenInput, object({ sessionToken: token }, ['sessionToken'])],
  ['ExtendDeadlineInput', checkExtendDeadlineInput, object({ by: duration }, ['by'])],
  [
    'BatchInput',
    checkBatchInput,
    object(
      {
        batchId: nearly(
          fc.oneof(fc.stringMatching(/^[\w.:@-]{1,9}$/), length(200, 201), fc.constantFrom('a/b', 'a\n', 'é')),
        ),
        shard: nearly(fc.oneof(fc.nat(), fc.constantFrom(-1, 0.5, 2 ** 53 - 1, 2 ** 53, 1e300))),
        sessions: nearly(fc.uniqueArray(session, { ...distinct, maxLength: 4 })),
        plan: batchPlan,
      },
      ['batchId', 'shard', 'sessions'],
    ),
  ],
  [
    'StatusChangedInput',
    (value) => {
      if (parseStatusChanged(value, 'a') === undefined) throw new InvalidInputError('onboardingStatus', 'is invalid');
    },
    fc
      .tuple(
        json,
        fc.oneof(fc.stringMatching(/^[A-Z_]{1,9}$/), length(64, 65), fc.constantFrom('A B', 'A\n', ''), json),
      )
      .map(([more, onboardingStatus]) => ({ ...Object(more), interviewId: 'a', onboardingStatus })),
  ],
];

/** The JSON that arrives. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each(CONTRACT)('the guard of %s', (type, guard, input) => {
  const seen = new Set<boolean>();

  it('accepts the same values as the schema and names a field in every refusal', () => {
    fc.assert(
      fc.property(input.map(sent), (value) => {
        let isGood = true;
        try {
          guard(value);
        } catch (error) {
          if (!(error instanceof InvalidInputError)) throw error;
          expect(error.message.startsWith(`${error.field} `)).toBe(true);
          isGood = false;
        }
        expect(isGood, JSON.stringify(value)).toBe(isValid(type, value));
        seen.add(isGood);
      }),
      cases(2),
    );
    // Neither refusing nor accepting everything would have passed.
    expect(seen).toEqual(new Set([true, false]));
  });

  it('shows no token in a refusal', () => {
    const secret = 'a-token-that-must-not-be-seen';
    fc.assert(
      fc.property(input.map(sent), fc.constantFrom(' ', '\n', 'é'), (value, invalid) => {
        try {
          guard({ ...Object(value), sessionToken: `${secret}${invalid}` });
        } catch (error) {
          expect((error as Error).message).not.toContain(secret);
        }
      }),
      cases(0.5),
    );
  });
});

it('resolvePlan completes any partial plan', () => {
  const whole = fc.record(
    {
      finishWhen: fc.constantFrom('now', 'processed', 'asked'),
      captureDeadline: fc.integer({ min: 1, max: 3_650 }).map((days) => `${days} days`),
      close: fc.boolean(),
      score: fc.boolean(),
      review: fc.constantFrom('report', 'wait'),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(whole, (plan) => {
      const resolved = resolvePlan(plan);
      for (const name of ['finishWhen', 'close', 'score', 'review'] as const) {
        if (plan[name] !== undefined) expect(resolved[name]).toBe(plan[name]);
      }
      expect(Object.values(resolved).every((part) => part !== undefined && part !== null)).toBe(true);
      expect(resolved.captureDeadlineMs).toBe(Number.parseInt(plan.captureDeadline ?? '7', 10) * 86_400_000);
    }),
    cases(),
  );
});
