import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { expect, it } from 'vitest';
import { failureConverter } from '../../src/codec/failure-converter.js';

const sent = (error: unknown) => failureConverter.errorToFailure(error, defaultPayloadConverter);
const received = (failure: ReturnType<typeof sent>) =>
  failureConverter.failureToError(failure, defaultPayloadConverter);

it('failureConverter encodes the message and the stack trace', () => {
  expect(sent(ApplicationFailure.create({ message: 'Session i: refused' }))).toMatchObject({
    message: 'Encoded failure',
    stackTrace: '',
  });
});

it('failureConverter converts a received error more than once, for an update and for its workflow', () => {
  const error = received(sent(ApplicationFailure.create({ message: 'Session i: refused' })));
  expect([sent(error), sent(error)].map((failure) => received(failure).message)).toEqual([
    'Session i: refused',
    'Session i: refused',
  ]);
  expect(error.message).toBe('Session i: refused');
});
