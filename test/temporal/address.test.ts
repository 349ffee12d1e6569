import { describe, expect, it } from 'vitest';
import { isLoopback } from '../../src/network/loopback.js';
import { channelArgsFor, isCloudAddress } from '../../src/temporal/address.js';

describe('isLoopback and channelArgsFor', () => {
  it.each(['localhost', 'localhost:7233', '127.0.0.1', '127.8.9.10:7233', '[::1]:7233', '[::1]'])(
    'treats %s as this machine, so gRPC uses no proxy',
    (address) => {
      expect(isLoopback(address)).toBe(true);
      expect(channelArgsFor(address)).toEqual({ 'grpc.enable_http_proxy': 0 });
    },
  );

  it.each([
    'temporal.example:7233',
    '10.0.0.7:7233',
    '127.evil.example',
    '127.0.0.1.example:7233',
    'localhost.example',
    'xlocalhost',
    '[2001:db8::1]:7233',
    '',
  ])('treats %j as another machine', (address) => {
    expect(isLoopback(address)).toBe(false);
    expect(channelArgsFor(address)).toEqual({});
  });
});

describe('isCloudAddress', () => {
  it.each([
    ['people.a1b2c.tmprl.cloud:7233', true],
    ['eu-west-1.aws.api.temporal.io', true],
    ['vpce-0a1b2c-3d4e5f.vpce-svc-0a1b.us-east-1.vpce.amazonaws.com:7233', true],
    ['tmprl.cloud.example:7233', false],
    ['localhost:7233', false],
  ])('returns for %s: %s', (address, isCloud) => {
    expect(isCloudAddress(address)).toBe(isCloud);
  });
});
