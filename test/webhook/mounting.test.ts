import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createWebhookReceiver, type StatusDelivery, type WebhookReceiverOptions } from '../../src/webhook/index.js';
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

async function serve(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('in a node:http server', () => {
  it('takes its own paths and answers 404 to others', async () => {
    const { receiver, deliveries } = receiverOf();
    await using host = await serve(receiver.handler);
    expect(await deliver(host.url)).toMatchObject({ status: 200 });
    expect(await deliver(`${host.url}/other`)).toMatchObject({ status: 404 });
    expect(await send(host.url, { method: 'GET' })).toMatchObject({ status: 405 });
    // The host has a health of its own.
    expect(await send(`${host.url}/healthz`, { method: 'GET' })).toMatchObject({ status: 404 });
    expect(deliveries).toEqual([STATUS]);
    await receiver.close();
  });

  it('limits the body there too', async () => {
    const { receiver } = receiverOf({ maxBodyBytes: 10, bodyTimeoutMs: 100 });
    await using host = await serve(receiver.handler);
    expect(await deliver(host.url)).toMatchObject({ status: 413 });
  });

  it('answers what is under way when it is closed, and takes nothing new', async () => {
    let taken: (() => void) | undefined;
    const { receiver } = receiverOf({
      notify: () =>
        new Promise((resolve) => {
          taken = () => resolve('delivered');
        }),
    });
    await using host = await serve(receiver.handler);
    const answer = deliver(host.url);
    await expect.poll(() => taken).toBeDefined();
    let isClosed = false;
    const closed = receiver.close().then(() => {
      isClosed = true;
    });
    expect(await deliver(host.url)).toMatchObject({ status: 503 });
    expect(isClosed).toBe(false);
    taken?.();
    expect(await answer).toMatchObject({ status: 200 });
    await closed;
  });

  it('does not hang or fall when its caller leaves at once', async () => {
    const { receiver } = receiverOf();
    await using host = await serve(async (request, response) => {
      request.destroy();
      receiver.handler(request, response);
    });
    await expect(deliver(host.url)).rejects.toThrow();
    // Long before the body's time is up.
    await expect.poll(() => receiver.counts.incomplete).toBe(1);
    await receiver.close();
  });
});

describe('in Express', () => {
  it.each([
    ['at the root', '', '/incode/webhook'],
    ['below a mount point', '/hooks', '/hooks/incode/webhook'],
    ['at its own path', '/incode/webhook', '/incode/webhook'],
    ['at a part of its own path', '/incode', '/incode/webhook'],
  ])('works %s', async (_, mountPoint, path) => {
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

  it('says so if a body parser was there first', async () => {
    const { receiver, deliveries } = receiverOf();
    const app = express();
    app.use(express.json());
    app.use(receiver.handler);
    await using host = await serve(app);
    const answer = await deliver(host.url);
    expect(answer).toMatchObject({ status: 500, body: { error: expect.stringContaining('before any body parser') } });
    expect(receiver.counts.alreadyRead).toBe(1);
    expect(deliveries).toEqual([]);
    // Also where there was nothing to read.
    expect(await deliver(host.url, { body: '' })).toMatchObject({ status: 500 });
  });
});

describe('in Fastify', () => {
  it.each(['', '/hooks'])('works with the prefix "%s", beside routes of the host', async (prefix) => {
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

  it('are all here', () => {
    expect(examples).toHaveLength(4);
  });

  // They run as they stand, against the package as it was built.
  it.each(examples.map((code) => [/from '(?!temporal-incode)(.+)'/.exec(code)?.[1] ?? 'alone', code]))(
    'work: %s',
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

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
