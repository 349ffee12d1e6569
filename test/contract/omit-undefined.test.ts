import { expect, it } from 'vitest';
import { omitUndefined } from '../../src/contract/omit-undefined.js';

it('leaves out fields that are undefined and keeps null, false, 0 and the empty string', () => {
  const fields = { absent: undefined, nothing: null, no: false, zero: 0, empty: '' };
  expect(Object.keys(omitUndefined(fields))).toEqual(['nothing', 'no', 'zero', 'empty']);
  expect(omitUndefined(fields)).toEqual({ nothing: null, no: false, zero: 0, empty: '' });
});

it('fits optional fields of a type that does not allow undefined', () => {
  const flowId = undefined as string | undefined;
  const session: { interviewId: string; flowId?: string } = { interviewId: 'a', ...omitUndefined({ flowId }) };
  expect(session).toStrictEqual({ interviewId: 'a' });
});
