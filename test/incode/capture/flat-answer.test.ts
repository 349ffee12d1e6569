import { describe, expect, it } from 'vitest';
import { flatAnswer } from '../../../src/incode/capture/flat-answer.js';

describe('flatAnswer', () => {
  it('joins the names of nested values, and uses the key of an entry of a list', () => {
    const score = {
      overall: { value: '94.6', status: 'OK' },
      idValidation: {
        idSpecific: [{ key: 'documentExpired', value: '100', status: 'OK' }, 'other', { value: 1 }, null],
      },
      faceRecognition: { existingUser: false, appliedRule: null },
    };
    expect(flatAnswer(score)).toEqual({
      'overall.value': '94.6',
      'overall.status': 'OK',
      'idValidation.idSpecific.documentExpired.value': '100',
      'idValidation.idSpecific.documentExpired.status': 'OK',
      'idValidation.idSpecific.1': 'other',
      'idValidation.idSpecific.2.value': '1',
      'faceRecognition.existingUser': 'false',
    });
  });

  it('keeps a bounded number of values, levels and bytes', () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`a${at}`, 'é'.repeat(1_000)]));
    const flat = flatAnswer({ ['n'.repeat(1_000)]: 'x', ...many });
    expect(Object.keys(flat)).toHaveLength(500);
    expect(
      Math.max(
        ...Object.entries(flat)
          .flat()
          .map((text) => Buffer.byteLength(text)),
      ),
    ).toBeLessThanOrEqual(500);
    const deep = JSON.parse(`${'{"a":'.repeat(50)}1${'}'.repeat(50)}`);
    expect(flatAnswer(deep)).toEqual({});
  });

  it('takes a name of JavaScript as any other', () => {
    expect(flatAnswer(JSON.parse('{"__proto__": {"polluted": "yes"}}'))).toEqual({ '__proto__.polluted': 'yes' });
    expect(Object.prototype).not.toHaveProperty('polluted');
  });
});
