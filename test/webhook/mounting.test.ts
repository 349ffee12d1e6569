import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../src/testing/server/process.js';
import { createWebhookReceiver, type StatusDelivery, type WebhookReceiverOptions } from '../../src/webhook/index.js';
import { serve } from '../support/http.js';
import { deliver, SECRET, STATUS, send } from './support.js';

function receiverOf(options: Partial<WebhookReceiverOptions> = {}) {
  const deliveries: StatusDelivery[] = [];
  const receiver = createWebhookReceiver({
    header: { name: 'x-secret', secrets: [SECRET] },
    notify: async (delivery) => {
      deliveries.push(delivery);
      return 'delivered';
    },
    ...options,
  });
  return { receiver, deliveries };
}

describe('the receiver in a node:http server', () => {
  it('answers at its own paths and 404 elsewhere', async () => {
    const { receiver, deliveries } = receiverOf();
    await using host = await serve(receiver.handler);
    expect(await deliver(host.url)).toMatchObject({ status: 200 });
    expect(await deliver(`${host.url}/other`)).toMatchObject({ status: 404 });
    expect(await send(host.url, { method: 'GET' })).toMatchObject({ status: 405 });
    // A mounted receiver has no health endpoints.
    expect(await send(`${host.url}/healthz`, { method: 'GET' })).toMatchObject({ status: 404 });
    expect(deliveries).toEqual([STATUS]);
    await receiver.close();
  });

  it('limits the size of the body', async () => {
    const { receiver } = receiverOf({ maxBodyBytes: 10, bodyTimeoutMs: 100 });
    await using host = await serve(receiver.handler);
    expect(await deliver(host.url)).toMatchObject({ status: 413 });
  });

  it('answers requests in flight when it is closed and accepts no new ones', async () => {
    let accept: (() => void) | undefined;
    const { receiver } = receiverOf({
      notify: () =>
        new Promise((resolve) => {
          accept = () => resolve('delivered');
        }),
    });
    await using host = await serve(receiver.handler);
    const answer = deliver(host.url);
    await expect.poll(() => accept).toBeDefined();
    let isClosed = false;
    const closed = receiver.close().then(() => {
      isClosed = true;
    });
    expect(await deliver(host.url)).toMatchObject({ status: 503 });
    expect(isClosed).toBe(false);
    accept?.();
    expect(await answer).toMatchObject({ status: 200 });
    await closed;
  });

  it('counts a request as incomplete if the caller disconnects at once', async () => {
    const { receiver } = receiverOf();
    await using host = await serve(async (request, response) => {
      request.destroy();
      receiver.handler(request, response);
    });
    await expect(deliver(host.url)).rejects.toThrow();
    // Long before the timeout of the body.
    await expect.poll(() => receiver.counts.incomplete).toBe(1);
    await receiver.close();
  });
});

describe('the receiver in Express', () => {
  it.each([
    ['at the root', '', '/incode/webhook'],
    ['below a mount point', '/hooks', '/hooks/incode/webhook'],
    ['at its own path', '/incode/webhook', '/incode/webhook'],
    ['at a part of its own path', '/incode', '/incode/webhook'],
  ])('works if mounted %s', async (_, mountPoint, path) => {
    const { receiver, deliveries } = receiverOf();
    const app = express();
    app.use(mountPoint, receiver.handler);
    app.use(express.json());
    app.post('/other', (request, response) => {
      response.json({ got: request.body });
    });
    await using host = await serve(app);
    expect(await deliver(host.url + path)).toMatchObject({ status: 200 });
    expect(deliveries).toEqual([STATUS]);
    expect(await deliver(`${host.url}/other`)).toMatchObject({ status: 200, body: { got: STATUS } });
  });

  it('reports a body parser that read the body before it', async () => {
    const { receiver, deliveries } = receiverOf();
    const app = express();
    app.use(express.json());
    app.use(receiver.handler);
    await using host = await serve(app);
    const answer = await deliver(host.url);
    expect(answer).toMatchObject({ status: 500, body: { error: expect.stringContaining('before any body parser') } });
    expect(receiver.counts.alreadyRead).toBe(1);
    expect(deliveries).toEqual([]);
    // Also for an empty body.
    expect(await deliver(host.url, { body: '' })).toMatchObject({ status: 500 });
  });
});

describe('the receiver in Fastify', () => {
  it.each(['', '/hooks'])('works with the prefix "%s" next to routes of the host', async (prefix) => {
    const { receiver, deliveries } = receiverOf();
    const app = fastify();
    app.register(receiver.plugin, { prefix });
    app.post('/other', async ({ body }) => ({ got: body }));
    const url = await app.listen({ port: 0, host: '127.0.0.1' });
    expect(await deliver(`${url}${prefix}/incode/webhook`)).toMatchObject({ status: 200, body: { success: true } });
    expect(await deliver(`${url}${prefix}/incode/webhook`, { body: '{' })).toMatchObject({ status: 400 });
    expect(await deliver(`${url}/other`)).toMatchObject({ status: 200, body: { got: STATUS } });
    expect(deliveries).toEqual([STATUS]);
    expect(receiver.counts).toMatchObject({ delivered: 1, malformed: 1 });
    await app.close();
  });
});

describe('the examples of docs/webhooks.md', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const page = readFileSync(new URL('../../docs/webhooks.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => String(code));

  it('docs/webhooks.md has four examples', () => {
    expect(examples).toHaveLength(4);
  });

  // They run unchanged against the built package.
  it.each(examples.map((code) => [/from '(?!temporal-incode)(.+)'/.exec(code)?.[1] ?? 'alone', code]))(
    'the example in docs/webhooks.md receives a delivery with the host "%s"',
    async (name, code) => {
      const directory = mkdtempSync(`${root}/.example-`);
      const port = await freePort();
      let child: ChildProcess | undefined;
      try {
        writeFileSync(`${directory}/example.mjs`, code);
        child = spawn(process.execPath, [`${directory}/example.mjs`], {
          env: { ...process.env, SECRET, PORT: String(port) },
          stdio: ['ignore', 'ignore', 'inherit'],
        });
        const url = `http://127.0.0.1:${port}`;
        const headers = { 'x-webhook-secret': SECRET };
        await expect
          .poll(() => deliver(url, { headers }).catch(() => undefined))
          .toMatchObject({ status: 200, body: { success: true } });
        expect(await deliver(url, { headers: { 'x-webhook-secret': 'x' } })).toMatchObject({ status: 401 });
        if (name !== 'alone') expect(await (await fetch(url)).text()).toBe('Hello');
      } finally {
        child?.kill('SIGKILL');
        rmSync(directory, { recursive: true });
      }
    },
  );
});
