import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import { describe, expect, it } from 'vitest';
import { encryptionCodec } from '../../src/codec/encryption-codec.js';
import { bytesPerSession, fitted, jsonBytes, MIN_BYTES_PER_SESSION } from '../../src/contract/batch-size.js';
import type { BatchRow, BatchSession } from '../../src/contract/index.js';
import { cases, fc } from '../support/property.js';

const TEMPORAL_LIMIT = 2 * 1_048_576;

const ANSWERED = { action: 'approved', redirectionUrl: 'https://bank.example/', confirmedBy: 'response' } as const;

/** A full shard: 2,000 sessions that take 1 MB. */
const FULL: BatchSession[] = Array.from({ length: 2_000 }, (_, index) => ({
  interviewId: `5f3a9c0be7d1426f8a90${String(index).padStart(4, '0')}`,
  sessionToken: 'x'.repeat(438),
}));

describe('fitted', () => {
  it('keeps a row that fits unchanged', () => {
    const row: BatchRow = { outcome: 'approved', finish: ANSWERED };
    expect(fitted(row, jsonBytes(row))).toBe(row);
  });

  it('drops a redirection URL that does not fit and reports it as too long', () => {
    const finish = { ...ANSWERED, redirectionUrl: `https://bank.example/${'ä'.repeat(490)}` };
    expect(fitted<BatchRow>({ outcome: 'approved', finish }, 500)).toEqual({
      outcome: 'approved',
      finish: { ...ANSWERED, redirectionUrl: null, redirectionUnsafe: 'tooLong' },
    });
  });

  it('shortens the message of a failure to the limit', () => {
    const failure = { type: 'VaultClosed', message: `Session a: ${'€'.repeat(1_000)}` };
    const row = fitted<BatchRow>({ failure }, 500);
    expect(row.failure?.type).toBe('VaultClosed');
    expect(row.failure?.message).toMatch(/^Session a: €+…$/);
    expect(jsonBytes(row)).toBeGreaterThan(490);
  });

  it('shortens unknown texts and adds no absent fields', () => {
    const finish = { action: null, redirectionUrl: null, confirmedBy: 'status' as const };
    const score = { status: '"'.repeat(64), value: null };
    const row: BatchRow = { outcome: 'undecided', finish, score };
    expect(fitted(row, jsonBytes(row) - 1)).toEqual({ ...row, score: { status: '?'.repeat(40), value: null } });
    const failed: BatchRow = { failure: { type: 'T'.repeat(200), message: 'The vault is closed' } };
    expect(fitted(failed, 150)).toEqual({ failure: { type: 'T'.repeat(40), message: 'The vault is closed' } });
    expect(fitted<BatchRow>({ onboardingStatus: 'é'.repeat(64) }, 100)).toEqual({ onboardingStatus: '?'.repeat(40) });
    const acted: BatchRow = { finish: { ...finish, action: 'x'.repeat(64) } };
    expect(fitted(acted, 120).finish?.action).toBe('x'.repeat(40));
    const valued = { score: { status: 'OK', value: '9'.repeat(90) } };
    expect(fitted<BatchRow>(valued, 100)).toEqual({ score: { status: 'OK', value: '9'.repeat(40) } });
  });

  it('measures the bytes of UTF-8', () => {
    for (const text of ['a', 'ä', '€', '😀', '"', '\u0001']) {
      expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
    }
  });

  it('fits any row into the minimum per session and keeps known values', () => {
    const text = (maxLength: number) => fc.string({ maxLength, unit: 'binary' });
    const row = fc.record(
      {
        finish: fc.record({
          action: fc.option(fc.oneof(text(64), fc.constant('rejected'))),
          redirectionUrl: fc.option(text(2_048)),
          confirmedBy: fc.constantFrom('response' as const, 'status' as const),
        }),
        onboardingStatus: fc.oneof(text(64), fc.constant('ID_VALIDATION_FINISHED_SECOND_ID')),
        score: fc.record({ status: text(64), value: fc.option(text(32)) }),
        failure: fc.record({ type: text(200), message: text(3_000) }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(row, ({ failure, score, ...rest }) => {
        // A failed session has no score.
        const one: BatchRow = failure
          ? { ...rest, failure }
          : { outcome: 'needsReview', ...rest, ...(score ? { score } : {}), notClosed: true };
        const kept = fitted(one, MIN_BYTES_PER_SESSION);
        expect(jsonBytes(kept)).toBeLessThanOrEqual(MIN_BYTES_PER_SESSION);
        if (one.finish?.action === 'rejected') expect(kept.finish?.action).toBe('rejected');
        if (one.onboardingStatus?.startsWith('ID_')) expect(kept.onboardingStatus).toBe(one.onboardingStatus);
      }),
      cases(),
    );
  });
});

describe('a full shard', () => {
  it('fits into one Temporal payload with its rows, also encrypted', async () => {
    expect(jsonBytes(FULL)).toBeGreaterThan(990_000);
    const maxBytes = bytesPerSession(FULL);
    const url = `https://bank.example/${'ä'.repeat(490)}`;
    const done = fitted(
      { finish: { ...ANSWERED, redirectionUrl: url }, onboardingStatus: 'ONBOARDING_FINISHED' },
      maxBytes,
    );
    // Padded to the limit.
    const padded = { ...done, padding: '' };
    padded.padding = 'x'.repeat(maxBytes - jsonBytes(padded));
    const marks = { closeTried: true, verify: true, lastSentAt: 1_800_000_000_000.123 };
    const record = {
      rows: FULL.map(() => null),
      open: FULL.map(() => ({ done: { ...padded, ...marks }, due: 1_800_000_000_000.123 })),
    };
    const codec = encryptionCodec({
      writing: () => ({ id: 'k'.repeat(60), key: randomBytes(32) }),
      reading: () => undefined,
    } as never);
    const payloads = await codec.encode(
      [{ sessions: FULL, batchId: 'b'.repeat(200), shard: 499 }, record].map((value) =>
        defaultPayloadConverter.toPayload(value),
      ),
    );
    const size = proto.temporal.api.common.v1.Payloads.encode({ payloads }).finish().length;
    expect(size).toBeGreaterThan(1_900_000);
    expect(size).toBeLessThan(TEMPORAL_LIMIT);
  });

  it('has less room per session than a small shard', () => {
    expect(bytesPerSession(FULL)).toBeGreaterThanOrEqual(MIN_BYTES_PER_SESSION);
    expect(bytesPerSession(FULL.slice(0, 100))).toBeGreaterThan(10_000);
  });
});
