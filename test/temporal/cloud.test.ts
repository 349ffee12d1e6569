import { describe, expect, it } from 'vitest';
import {
  cloudAttributesCommand,
  cloudRetentionCommand,
  isCloud,
  isCloudConnection,
  rememberCloud,
  serverNameOf,
} from '../../src/temporal/cloud.js';

const CLOUD = 'acme.a1b2c.tmprl.cloud';

describe('isCloud', () => {
  it.each([
    [`${CLOUD}:7233`, undefined, true],
    ['10.0.0.7:7233', CLOUD, true],
    ['10.0.0.7:7233', 'temporal.internal', false],
    [undefined, undefined, false],
  ])('returns for address %s and server name %s: %s', (address, serverName, is) => {
    expect(isCloud(address, serverName)).toBe(is);
  });
});

describe('isCloudConnection', () => {
  it('recognizes a connection by its address, and by its TLS server name', () => {
    expect(isCloudConnection({ options: { address: `${CLOUD}:7233` } })).toBe(true);
    const channelArgs = { 'grpc.ssl_target_name_override': CLOUD };
    expect(isCloudConnection({ options: { address: '10.0.0.7:7233', channelArgs } })).toBe(true);
    expect(isCloudConnection({ options: { address: '10.0.0.7:7233', channelArgs: {} } })).toBe(false);
    expect(isCloudConnection({})).toBe(false);
  });

  it("recognizes a worker's connection that is remembered", () => {
    const connection = {};
    rememberCloud(connection);
    expect(isCloudConnection(connection)).toBe(true);
  });
});

describe('serverNameOf', () => {
  it.each([
    [{ tls: { serverNameOverride: CLOUD } }, CLOUD],
    [{ tls: {} }, undefined],
    [{ tls: true }, undefined],
    [{ tls: null }, undefined],
    [{}, undefined],
  ])('reads the server name of %j', (options, name) => {
    expect(serverNameOf(options)).toBe(name);
  });
});

it('the commands for Temporal Cloud name the namespace', () => {
  expect(cloudAttributesCommand('acme.a1b2c', ['IncodeStage', 'IncodeOutcome'])).toBe(
    'tcld namespace search-attributes add --namespace acme.a1b2c ' +
      '--search-attribute IncodeStage=Keyword --search-attribute IncodeOutcome=Keyword',
  );
  expect(cloudRetentionCommand('acme.a1b2c', 29.5 * 86_400_000)).toBe(
    'tcld namespace retention set --namespace acme.a1b2c --retention-days 30',
  );
});
