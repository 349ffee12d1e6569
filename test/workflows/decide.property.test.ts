import { describe, expect, it } from 'vitest';
import type { FinishAnswer, Outcome } from '../../src/contract/index.js';
import { awaitsReview, decide, type Evidence } from '../../src/workflows/decide.js';
import { cases, fc } from '../support/property.js';

const OUTCOMES: Outcome[] = ['approved', 'rejected', 'needsReview', 'undecided', 'expired'];

/** A known value, or any other, because Incode's sets are open. */
const orNew = (...known: string[]) => fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, fc.string());

const action = fc.option(orNew('approved', 'rejected', 'none'));
const finish = fc.record<FinishAnswer>({
  action,
  redirectionUrl: fc.option(fc.webUrl()),
  confirmedBy: fc.constantFrom('response', 'status'),
});
const score = fc.record({
  status: orNew('OK', 'FAIL', 'WARN', 'MANUAL', 'MANUAL_OK', 'MANUAL_FAIL', 'UNKNOWN'),
  value: fc.option(fc.string()),
});
const VERDICTS = { MANUAL_REVIEW_APPROVED: 'approved', MANUAL_REVIEW_REJECTED: 'rejected' } as const;
const withoutVerdict = fc.option(
  orNew('UNKNOWN', 'EXPIRED', 'ONBOARDING_FINISHED', 'MANUAL_REVIEW_', 'toString', '__proto__').filter(
    (status) => !Object.hasOwn(VERDICTS, status),
  ),
);
const anyStatus = fc.oneof(withoutVerdict, fc.constantFrom(...Object.keys(VERDICTS)));

const evidence: fc.Arbitrary<Evidence> = fc.record({
  finish: fc.option(finish),
  score: fc.oneof(fc.constant(undefined), fc.constant(null), score),
  onboardingStatus: anyStatus,
  reviewed: fc.boolean(),
});

describe('decide', () => {
  it('returns an outcome and a reason for any evidence', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        const { outcome, reason } = decide(known);
        expect(OUTCOMES).toContain(outcome);
        expect(reason).toMatch(/^[A-Z].*\.$/s);
      }),
      cases(),
    );
  });

  it("follows a person's verdict against all other evidence", () => {
    fc.assert(
      fc.property(evidence, fc.constantFrom('MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED'), (known, status) => {
        const verdict = VERDICTS[status as keyof typeof VERDICTS];
        const decision = { outcome: verdict, reason: `A manual review ${verdict} the session.` };
        expect(decide({ ...known, onboardingStatus: status })).toEqual(decision);
      }),
      cases(),
    );
  });

  it('is expired without a verdict exactly if the session was not finished', () => {
    fc.assert(
      fc.property(evidence, withoutVerdict, (known, onboardingStatus) => {
        expect(decide({ ...known, onboardingStatus }).outcome === 'expired').toBe(known.finish === null);
      }),
      cases(),
    );
  });

  it('approves only if a person, the score or, without a score, the action approves', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        const { finish, score, onboardingStatus } = known;
        const scored = score === undefined ? finish?.action === 'approved' : score?.status === 'OK';
        const unless = onboardingStatus !== 'MANUAL_REVIEW_REJECTED' && finish !== null && scored;
        const approved = onboardingStatus === 'MANUAL_REVIEW_APPROVED' || unless;
        expect(decide(known).outcome === 'approved').toBe(approved);
      }),
      cases(),
    );
  });

  it('ignores the action, the redirection and the confirmation if there is a score', () => {
    fc.assert(
      fc.property(finish, finish, fc.oneof(fc.constant(null), score), withoutVerdict, (one, other, score, status) => {
        const by = (finish: FinishAnswer) => decide({ finish, score, onboardingStatus: status });
        expect(by(one)).toEqual(by(other));
      }),
      cases(),
    );
  });

  it('adds to the reason that nobody reviewed in time and keeps the outcome', () => {
    fc.assert(
      fc.property(finish, fc.oneof(fc.constant(undefined), fc.constant(null), score), withoutVerdict, (...parts) => {
        const [finish, score, onboardingStatus] = parts;
        const before = decide({ finish, score, onboardingStatus });
        const { outcome, reason } = decide({ finish, score, onboardingStatus, reviewed: true });
        expect(outcome).toBe(before.outcome);
        expect(reason).toBe(`${before.reason} No manual review decided within the review deadline.`);
      }),
      cases(),
    );
  });
});

describe('awaitsReview', () => {
  it('is true for needsReview, and for undecided only if the rules decided nothing and there is no score', () => {
    fc.assert(
      fc.property(finish, fc.oneof(fc.constant(undefined), fc.constant(null), score), anyStatus, (...parts) => {
        const [finish, score, onboardingStatus] = parts;
        const decision = decide({ finish, score, onboardingStatus });
        const isScored = score !== undefined;
        const awaits = awaitsReview(decision, finish, isScored);
        if (awaits) expect(['needsReview', 'undecided']).toContain(decision.outcome);
        if (decision.outcome === 'needsReview') expect(awaits).toBe(true);
        if (decision.outcome === 'undecided') expect(awaits).toBe(!isScored && finish.action === 'none');
      }),
      cases(),
    );
  });
});
