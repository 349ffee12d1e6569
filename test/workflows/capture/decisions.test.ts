import { describe, expect, it } from 'vitest';
import { resolveCapturePlan } from '../../../src/contract/index.js';
import {
  afterProcessId,
  afterRefusedImage,
  afterUnusableImage,
  backStep,
  isRefused,
  reasonOf,
} from '../../../src/workflows/capture/decisions.js';

const plan = (onRefusedImage: string) => resolveCapturePlan({ onRefusedImage });

describe('backStep', () => {
  it('uploads the back of a document with two sides', () => {
    expect(backStep({ hasNoBack: false }, true)).toEqual({ upload: true, event: null });
  });

  it('skips the back of a document that has none, and says so', () => {
    expect(backStep({ hasNoBack: true }, true)).toEqual({ upload: false, event: expect.stringContaining('has none') });
  });

  it.each([true, false])('skips the back without an image of it (hasNoBack: %s)', (hasNoBack) => {
    expect(backStep({ hasNoBack }, false)).toEqual({ upload: false, event: null });
  });
});

describe('an image that Incode refuses', () => {
  it.each([
    ['continue', false, 'goOn'],
    ['continue', true, 'goOn'],
    ['wait', false, 'wait'],
    ['wait', true, 'goOn'],
    ['fail', false, 'fail'],
    ['fail', true, 'fail'],
  ])('a refused image with the plan "%s" and hasWaited %s leads to: %s', (choice, hasWaited, step) => {
    expect(afterRefusedImage(plan(choice), hasWaited)).toBe(step);
  });
});

describe('an image that cannot be read', () => {
  it.each([
    ['continue', false, 'fail'],
    ['wait', false, 'wait'],
    ['wait', true, 'fail'],
    ['fail', false, 'fail'],
  ])('an unreadable image with the plan "%s" and hasWaited %s leads to: %s', (choice, hasWaited, step) => {
    expect(afterUnusableImage(plan(choice), hasWaited)).toBe(step);
  });
});

describe('isRefused', () => {
  it('is true for a refused image only', () => {
    expect(['accepted', 'doubtful', 'refused'].map((assessment) => isRefused({ assessment } as never))).toEqual([
      false,
      false,
      true,
    ]);
    expect(isRefused(null)).toBe(false);
  });
});

describe('reasonOf', () => {
  const refused = { assessment: 'refused', failReason: null, code: null, failedChecks: [] } as const;

  it.each([
    ['WRONG_DOCUMENT_SIDE', { failReason: 'WRONG_DOCUMENT_SIDE' }],
    ['code 4019', { code: 4019 }],
    [
      'DOCUMENT_NOT_READABLE, sharpness, glare',
      { failReason: 'DOCUMENT_NOT_READABLE', failedChecks: ['sharpness', 'glare'] },
    ],
    ['no reason given', {}],
  ])('says "%s"', (text, facts) => {
    expect(reasonOf({ ...refused, failedChecks: [], ...facts })).toBe(text);
  });
});

describe('afterProcessId', () => {
  it('waits for a process that has started', () => {
    expect(afterProcessId('started', true)).toEqual({ kind: 'await' });
  });

  it('has an earlier process confirmed by the status', () => {
    expect(afterProcessId('alreadyProcessed', true)).toEqual({ kind: 'confirm' });
  });

  it('needs other images of all sides of a document that cannot be processed', () => {
    expect(afterProcessId('failed', true)).toEqual({ kind: 'replace', sides: ['front', 'back'] });
    expect(afterProcessId('failed', false)).toEqual({ kind: 'replace', sides: ['front'] });
  });
});
