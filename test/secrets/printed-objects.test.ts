import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { OnboardingClient, SessionCompletedError, TemporalUnavailableError } from 'temporal-incode/client';
import { encryptedDataConverter, encryptionCodec, keyRing, keysFromEnvironment } from 'temporal-incode/codec';
import { createIncodeClient } from 'temporal-incode/incode';
import { createWebhookReceiver } from 'temporal-incode/webhook';
import { createWorker, readConfig } from 'temporal-incode/worker';
import { afterAll, expect, inject, it } from 'vitest';
import { createIncodeActivities, reissuingTokenSource } from '../../src/activities/index.js';
import { readCodecServerConfig, readWebhookConfig } from '../../src/config/index.js';

// Objects that hold a secret do not reveal it when they are printed, written as JSON or cloned.

const KEY = randomBytes(32);
const SECRETS = {
  apiKey: 'incode-key-that-must-not-be-seen',
  temporalApiKey: 'temporal-key-that-must-not-be-seen',
  proxy: 'proxy-word-that-must-not-be-seen',
  header: 'header-secret-that-must-not-be-seen',
  oauth: 'oauth-secret-that-must-not-be-seen',
  operator: 'operator-token-that-must-not-be-seen',
};
const FORMS = [...Object.values(SECRETS), KEY.toString('base64'), KEY.toString('hex').slice(0, 16), String([...KEY])];
// The form in which `inspect` prints bytes.
FORMS.push(KEY.toString('hex').replace(/../g, '$& ').slice(0, 30));

const ENV = {
  INCODE_BASE_URL: 'https://incode.example',
  INCODE_API_KEY: SECRETS.apiKey,
  HTTPS_PROXY: `http://user:${SECRETS.proxy}@proxy.example:3128`,
  TEMPORAL_ADDRESS: inject('temporalAddress'),
  TEMPORAL_NAMESPACE: inject('temporalNamespace'),
  TEMPORAL_INCODE_ENCRYPTION_KEYS: `one:${KEY.toString('base64')}`,
  CODEC_SERVER_TOKENS: SECRETS.operator,
  WEBHOOK_HEADER_SECRETS: SECRETS.header,
  WEBHOOK_OAUTH_CLIENTS: `incode:${SECRETS.oauth}`,
};
const TLS = { TEMPORAL_API_KEY: SECRETS.temporalApiKey, TEMPORAL_ADDRESS: 'temporal.example:7233' };

const config = readConfig(ENV);
const withTemporalKey = readConfig({ ...ENV, ...TLS });
const keys = keyRing(ENV.TEMPORAL_INCODE_ENCRYPTION_KEYS);
const incode = createIncodeClient(config);
const connection = Connection.lazy({ address: ENV.TEMPORAL_ADDRESS, apiKey: () => SECRETS.temporalApiKey, tls: false });
const onboarding = new OnboardingClient({ client: new Client({ connection }) });
const worker = await createWorker({ ...config, taskQueue: 'shown', bulkTaskQueue: 'shown-bulk' });
const running = worker.run();
const webhooks = readWebhookConfig(ENV);
afterAll(async () => {
  worker.shutdown();
  await running;
  await Promise.all([incode.close(), connection.close()]);
});

const OBJECTS: [string, object][] = [
  ['the configuration of a worker', config],
  ['a copy of the configuration', { ...config }],
  ["a configuration with Temporal's API key", withTemporalKey],
  ["a copy of the configuration with Temporal's API key", { ...withTemporalKey }],
  ["Temporal's part of the configuration", withTemporalKey.temporal],
  ["the connection's options", withTemporalKey.temporal.connectionOptions],
  ['the proxies', config.proxy],
  ['a key ring', keys],
  ['the key that writes', keys.writing()],
  ['a key ring of the environment', keysFromEnvironment(ENV) ?? {}],
  ['a codec', encryptionCodec(keys)],
  ['a data converter', encryptedDataConverter(keys)],
  ['a client of Incode', incode],
  ['a token source', reissuingTokenSource(incode, { configurationId: 'flow' })],
  ['activities', createIncodeActivities({ incode })],
  ['a worker', worker],
  ['a client', onboarding],
  ["a client's connection", connection],
  ['the configuration of the codec server', readCodecServerConfig(ENV)],
  ['the configuration of the receiver', webhooks],
  ["a client of the receiver's token endpoint", webhooks.receiver.oauth?.clients()[0] ?? {}],
  ['the receiver', createWebhookReceiver({ ...webhooks.receiver, notify: async () => 'delivered' })],
];

/** Plain data that can be cloned with its secrets. The objects that contain them cannot be cloned. */
const PARTS = [
  "Temporal's part of the configuration",
  "the connection's options",
  'the proxies',
  "a client of the receiver's token endpoint",
];

function cloned(value: object): string {
  try {
    return inspect(structuredClone(value), { depth: 12 });
  } catch {
    return 'It has functions, which cannot be cloned.';
  }
}

/** The object as printed by `inspect` and as JSON. */
function views(value: object): string {
  const depth = 12;
  const json = JSON.stringify(value, circular()) ?? '';
  return [inspect(value, { depth }), inspect([value], { depth, showHidden: true }), json].join('\n');
}

function circular() {
  const seen = new Set<unknown>();
  return (_: string, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    if (seen.has(value)) return undefined;
    seen.add(value);
    return value;
  };
}

it.each(OBJECTS)('printing %s reveals no secret', (name, value) => {
  const seen = views(value) + (PARTS.includes(name) ? '' : cloned(value));
  expect(FORMS.filter((secret) => seen.includes(secret))).toEqual([]);
});

it('hidden secrets can still be used by code', () => {
  expect(config.apiKey()).toBe(SECRETS.apiKey);
  expect(withTemporalKey.temporal.connectionOptions.apiKey).toBe(SECRETS.temporalApiKey);
  expect(config.proxy.httpsProxy).toBe(ENV.HTTPS_PROXY);
  expect(Buffer.from(keys.writing().key).equals(KEY)).toBe(true);
  expect(webhooks.receiver.oauth?.clients()).toEqual([{ id: 'incode', secret: SECRETS.oauth }]);
});

it('printing a SessionCompletedError reveals no redirection URL, because it may contain a name', () => {
  const error = new SessionCompletedError({
    interviewId: '5f3a',
    outcome: 'approved',
    finish: { action: 'approved', redirectionUrl: 'https://bank.example/?name=Jane-Roe', confirmedBy: 'response' },
    closed: false,
    score: null,
    onboardingStatus: 'ONBOARDING_FINISHED',
    confirmedBy: 'incode',
    reason: 'rules',
  });
  const shown = inspect(error, { depth: 12 }) + JSON.stringify(error) + JSON.stringify({ ...error });
  expect(shown).toContain('5f3a');
  expect(shown).not.toContain('Jane-Roe');
  expect(error.result.finish?.redirectionUrl).toContain('Jane-Roe');
});

it('printing a TemporalUnavailableError reveals no API key', async () => {
  const away = Connection.lazy({ address: '127.0.0.1:1', apiKey: () => SECRETS.temporalApiKey, tls: false });
  const client = new OnboardingClient({ client: new Client({ connection: away }) });
  const failure = await away
    .withDeadline(Date.now() + 2_000, () => client.state('5f3a'))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TemporalUnavailableError);
  expect(FORMS.filter((secret) => views(failure as object).includes(secret))).toEqual([]);
  await away.close();
});
