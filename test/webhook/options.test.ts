import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WEBHOOK_DEFAULTS } from '../../src/contract/webhook-settings.js';
import { createWebhookReceiver, type WebhookReceiverOptions } from '../../src/webhook/index.js';
import { resolveOptions } from '../../src/webhook/options.js';

const SECRET = 'known-to-both-sides';
const notify = async () => 'delivered' as const;

describe('createWebhookReceiver', () => {
  const secrets = [SECRET];
  const clients = [{ id: 'incode', secret: SECRET }];

  it.each<[Partial<WebhookReceiverOptions>, RegExp]>([
    [{}, /^header or oauth is required, or allowUnauthenticated: true/],
    [{ allowUnauthenticated: false }, /^header or oauth is required/],
    [{ allowUnauthenticated: true, header: { name: 'x', secrets } }, /^allowUnauthenticated excludes/],
    [{ header: { name: 'x-secret', secrets: [] } }, /^header.secrets must not be empty/],
    [{ header: { name: 'x secret', secrets } }, /^header.name must be/],
    [{ header: { name: 'x', secrets: [SECRET, 'short'] } }, /^header.secrets\[1\] must have at least 16 characters$/],
    [{ header: { name: 'x', secrets: ['sixteen-and-more '] } }, /^header.secrets\[0\] must be printable ASCII/],
    [{ header: { name: 'x', secrets: ['sixteen-and\r\nmore'] } }, /^header.secrets\[0\] must be printable ASCII/],
    [{ oauth: { clients: [] } }, /^oauth.clients must not be empty/],
    [{ oauth: { clients: [{ id: 'a:b', secret: SECRET }] } }, /^oauth.clients\[0\].id must be/],
    [{ oauth: { clients: [{ id: 'a', secret: 'short' }] } }, /^oauth.clients\[0\].secret must have at least 16/],
    [{ oauth: { clients, tokenTtlMs: 0 } }, /^oauth.tokenTtlMs must be/],
    [{ allowUnauthenticated: true, path: 'incode' }, /^path must be a path/],
    [{ allowUnauthenticated: true, path: '/incode/:id' }, /^path must be a path/],
    [{ oauth: { clients }, tokenPath: '/incode/webhook' }, /^tokenPath must differ/],
    [{ allowUnauthenticated: true, maxBodyBytes: 0.5 }, /^maxBodyBytes must be/],
    [{ allowUnauthenticated: true, notifyTimeoutMs: -1 }, /^notifyTimeoutMs must be/],
    [{ allowUnauthenticated: true, notify: undefined as never }, /^notify must be a function/],
  ])('refuses %j', (options, message) => {
    expect(() => createWebhookReceiver({ notify, ...options })).toThrow(message);
  });

  it.each([
    ['header.secrets', { header: { name: 'x', secrets: () => ['short'] } }],
    ['oauth.clients', { oauth: { clients: () => [{ id: 'a', secret: 'short' }] } }],
  ])('refuses an invalid first result of a function %s', (option, options) => {
    expect(() => createWebhookReceiver({ notify, ...options })).toThrow(new RegExp(`^${option}\\[0\\]`));
  });

  it('documents the default of every option', () => {
    const source = readFileSync(new URL('../../src/webhook/options.ts', import.meta.url), 'utf8');
    for (const [name, value] of Object.entries(WEBHOOK_DEFAULTS)) {
      const description = new RegExp(`@default ("?)${value}\\1[^@]*?\\n\\s+${name}\\?:`);
      expect(source, name).toMatch(description);
    }
  });
});

describe('resolveOptions', () => {
  const header = { name: 'X-Secret', secrets: [SECRET] };
  const oauth = { clients: [{ id: 'incode', secret: SECRET }] };

  it('fills in every default', async () => {
    const { ready, ...settings } = resolveOptions({ notify, header, oauth });
    const { tokenTtlMs, ...defaults } = WEBHOOK_DEFAULTS;
    expect(settings).toMatchObject({
      ...defaults,
      header: { name: 'x-secret', secrets: [SECRET] },
      oauth: { clients: oauth.clients, tokenTtlMs },
      allowUnauthenticated: false,
    });
    expect(await ready()).toBe(true);
  });

  it('uses the default for an undefined option and keeps all others', async () => {
    const ready = async () => false;
    const settings = resolveOptions({ notify, ready, oauth: { ...oauth, tokenTtlMs: 5 }, path: undefined as never });
    expect(settings).toMatchObject({ path: WEBHOOK_DEFAULTS.path, header: null, oauth: { tokenTtlMs: 5 }, ready });
  });

  it('copies lists, because the caller may change its array', () => {
    const secrets = [SECRET];
    const settings = resolveOptions({ notify, header: { name: 'x', secrets } });
    secrets.length = 0;
    expect(settings.header?.secrets).toEqual([SECRET]);
    expect(resolveOptions({ notify, allowUnauthenticated: true }).oauth).toBeNull();
  });
});
