import { Connection } from '@temporalio/client';
import { defaultFailureConverter, defaultPayloadConverter, ValueError } from '@temporalio/common';
import { expect, inject, it } from 'vitest';
import {
  decode,
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
  encode,
  grpcClientOf,
  msToNumber,
  msToTs,
  refusedAddress,
  saysAlreadyCompleted,
} from '../../src/temporal/sdk-internals.js';

const converter = {
  payloadConverter: defaultPayloadConverter,
  failureConverter: defaultFailureConverter,
  payloadCodecs: [],
};

it('encode and decode convert text to UTF-8 bytes and back', () => {
  expect(decode(encode('é'))).toBe('é');
});

it('decodeFromPayloadsAtIndex reads a value from encoded payloads', async () => {
  const payload = defaultPayloadConverter.toPayload({ interviewId: 'a' });
  expect(await decodeFromPayloadsAtIndex(converter, 0, payload ? [payload] : [])).toEqual({ interviewId: 'a' });
});

it('decodeOptionalFailureToOptionalError reads an error from an encoded failure', async () => {
  const failure = defaultFailureConverter.errorToFailure(new ValueError('wrong'), defaultPayloadConverter);
  expect(await decodeOptionalFailureToOptionalError(converter, failure)).toMatchObject({ message: 'wrong' });
});

it('msToTs and msToNumber convert durations', () => {
  expect(msToTs(1_500)).toMatchObject({ nanos: 500_000_000 });
  expect(msToNumber('2 minutes')).toBe(120_000);
});

it("grpcClientOf finds the gRPC client inside the SDK's connection", async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  // 2: gRPC is connected.
  expect(grpcClientOf(connection)?.getChannel().getConnectivityState(false)).toBe(2);
  await connection.close();
});

it('refusedAddress reads the address of a refused connection', async () => {
  const refused = await Connection.connect({ address: '127.0.0.1:1', connectTimeout: '1s' }).catch((error) => error);
  expect(refused).toBeInstanceOf(Error);
  const text = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1';
  expect(refusedAddress(text)).toEqual({ host: '127.0.0.1', port: 1 });
  expect(refusedAddress('something else')).toBeUndefined();
});

it('saysAlreadyCompleted distinguishes an ended workflow from an unknown one', () => {
  expect(saysAlreadyCompleted('workflow execution already completed')).toBe(true);
  expect(saysAlreadyCompleted('workflow not found for ID: x')).toBe(false);
});
