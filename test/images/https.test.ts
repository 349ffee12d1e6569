import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  httpsImages,
  ImageError,
  type ImageSource,
  inspectImage,
  pinImage,
  readImage,
} from '../../src/images/index.js';
import { jpeg } from '../support/images.js';
import { serveRaw } from '../support/incode.js';
import { thrown } from '../support/thrown.js';

const CANARY = 'canary-5f3a9c0be7d1';
const IMAGE = jpeg({ content: CANARY, bytes: 300_000 });
const certificate = (name: string) => readFileSync(new URL(`../support/tls/${name}`, import.meta.url), 'utf8');

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let closedEarly = 0;
const requests: IncomingMessage[] = [];
const server = createServer(
  { key: certificate('server.key'), cert: certificate('server.pem') },
  (request, response) => {
    requests.push(request);
    response.on('close', () => {
      if (!response.writableFinished) closedEarly += 1;
    });
    answer(request, response);
  },
);
const dispatcher = new Agent({ connect: { ca: certificate('ca.pem') } });
let host: string;
let sources: ImageSource[];
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  sources = [httpsImages({ hosts: [host], dispatcher })];
});
afterAll(async () => {
  await dispatcher.destroy();
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  requests.length = 0;
  closedEarly = 0;
});

const at = (path: string) => ({ uri: `https://${host}${path}` });

async function refusal(reference: { uri: string }, timeoutMs = 30_000): Promise<ImageError> {
  const error = await thrown(readImage(sources, reference, { timeoutMs }));
  expect(error).toBeInstanceOf(ImageError);
  expect(`${error.message} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain(CANARY);
  return error as ImageError;
}

describe('httpsImages', () => {
  it('reads an image from a host on the list, without credentials', async () => {
    answer = (_, response) => response.end(IMAGE);
    expect((await readImage(sources, at('/ann/front.jpg'))).equals(IMAGE)).toBe(true);
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
    expect(requests[0]?.headers).not.toHaveProperty('cookie');
  });

  it('reads only the beginning to inspect an image, and ends the connection', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 5_000_000 });
      response.write(IMAGE);
    };
    expect(await inspectImage(sources, at('/a.jpg'))).toEqual({
      type: 'jpeg',
      width: 1_200,
      height: 800,
      bytes: 5_000_000,
    });
    await expect.poll(() => closedEarly).toBe(1);
  });

  it('reads everything to inspect an image of unknown size', async () => {
    answer = (_, response) => {
      response.write(IMAGE);
      response.end();
    };
    expect(await inspectImage(sources, at('/a.jpg'))).toMatchObject({ bytes: IMAGE.length });
  });

  it('asks no host that is not on the list, and none without https', async () => {
    answer = (_, response) => response.end(IMAGE);
    for (const uri of [
      `https://localhost:${new URL(`https://${host}`).port}/a.jpg`,
      'https://127.0.0.1/a.jpg',
      `https://${host}.example/a.jpg`,
      `https://${host}@other.example/a.jpg`,
      'https://[/a.jpg',
    ]) {
      expect(await refusal({ uri })).toMatchObject({ problem: 'notAllowed', retry: 'never' });
    }
    expect(await refusal({ uri: `http://${host}/a.jpg` })).toMatchObject({ problem: 'noSource' });
    expect(requests).toHaveLength(0);
  });

  it('an error never shows login, query or fragment of the URL', async () => {
    answer = (_, response) => response.writeHead(403).end(CANARY);
    const error = await refusal(at(`/a.jpg?X-Amz-Signature=${CANARY}#${CANARY}`));
    expect(error.message).toBe(`The image https://${host}/a.jpg is refused by its server (HTTP 403)`);
    expect((await refusal({ uri: `https://${CANARY}:${CANARY}@${host}/a.jpg` })).message).toContain(
      `https://${host}/a`,
    );
  });

  it('follows a redirect to a host on the list', async () => {
    answer = (request, response) => {
      if (request.url === '/a.jpg') response.writeHead(302, { location: `/b.jpg?token=${CANARY}` }).end();
      else response.end(IMAGE);
    };
    expect((await readImage(sources, at('/a.jpg'))).equals(IMAGE)).toBe(true);
    expect(requests.map(({ url }) => url)).toEqual(['/a.jpg', `/b.jpg?token=${CANARY}`]);
  });

  it.each([
    ['another host', `https://other.example/a.jpg?${CANARY}`],
    ['a file', `file:///etc/${CANARY}`],
    ['another port', `https://127.0.0.1:1/${CANARY}`],
    ['a login', `https://${CANARY}@127.0.0.1/`],
    ['no address', `https://[${CANARY}`],
  ])('refuses a redirect to %s and does not show it', async (_, location) => {
    answer = (_request, response) => response.writeHead(301, { location }).end();
    expect(await refusal(at('/a.jpg'))).toMatchObject({
      problem: 'notAllowed',
      reason: expect.stringMatching(/^is redirected to /),
    });
    expect(requests).toHaveLength(1);
  });

  it('refuses a redirect to a host on the list without https', async () => {
    answer = (_, response) => response.writeHead(301, { location: `http://${host}/${CANARY}` }).end();
    expect(await refusal(at('/a.jpg'))).toMatchObject({ reason: 'is redirected to an address without https' });
    expect(requests).toHaveLength(1);
  });

  it('refuses a redirect in circles and one without address', async () => {
    answer = (_, response) => response.writeHead(307, { location: '/a.jpg' }).end();
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'unavailable', reason: 'is redirected too often' });
    expect(requests).toHaveLength(4);
    answer = (_, response) => response.writeHead(307).end();
    expect((await refusal(at('/a.jpg'))).reason).toBe('is redirected too often');
  });

  it.each([
    [404, 'missing', 'never'],
    [410, 'missing', 'never'],
    [401, 'denied', 'afterFix'],
    [403, 'denied', 'afterFix'],
    [429, 'unavailable', 'soon'],
    [500, 'unavailable', 'soon'],
    [204, 'unavailable', 'soon'],
  ])('says what HTTP %i means', async (status, problem, retry) => {
    answer = (_, response) => response.writeHead(status).end(CANARY);
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem, retry, reason: expect.stringContaining(`${status}`) });
  });

  it('stops reading an endless body at the size limit', async () => {
    let sent = 0;
    answer = (_, response) => {
      response.write(IMAGE.subarray(0, 1_000));
      const send = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x55))) sent += 65_536;
        sent += 65_536;
      };
      response.on('drain', send);
      send();
    };
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'tooLarge' });
    await expect.poll(() => closedEarly).toBe(1);
    // The limit, and what the sockets hold.
    expect(sent).toBeLessThan(30_000_000);
  });

  it('reads nothing of a body that is announced as too large', async () => {
    answer = (_, response) => void response.writeHead(200, { 'content-length': 2 ** 40 }).write('x');
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'tooLarge' });
    await expect.poll(() => closedEarly).toBe(1);
  });

  it('ends a slow answer at the time limit', async () => {
    answer = (_, response) => response.write(IMAGE.subarray(0, 100_000));
    expect(await refusal(at('/a.jpg'), 200)).toMatchObject({ problem: 'slow', retry: 'soon' });
    answer = () => undefined;
    expect(await refusal(at('/a.jpg'), 200)).toMatchObject({ problem: 'slow', reason: 'was not read within 200 ms' });
    await expect.poll(() => closedEarly).toBe(2);
  });

  it('ends when the caller cancels, with the reason of the caller', async () => {
    answer = (_, response) => response.write(IMAGE.subarray(0, 1_000));
    const cancel = new AbortController();
    const reading = readImage(sources, at('/a.jpg'), { signal: cancel.signal });
    await expect.poll(() => requests.length).toBe(1);
    cancel.abort(new Error('shut down'));
    await expect(reading).rejects.toThrow('shut down');
    await expect(pinImage(sources, at('/a.jpg'), { signal: cancel.signal })).rejects.toThrow('shut down');
    expect(requests).toHaveLength(1);
  });

  it('finds that a body ends before its announced length', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': IMAGE.length });
      response.write(IMAGE.subarray(0, 100_000), () => response.destroy());
    };
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'truncated', retry: 'soon' });
  });

  it('finds that a body without length is incomplete', async () => {
    answer = (_, response) => response.write(IMAGE.subarray(0, 200_000), () => response.end());
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'truncated' });
  });

  it('refuses a page, a compressed body, and a server that its certificate does not name', async () => {
    answer = (_, response) => response.end(`<html>${CANARY}</html>`);
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'wrongType', reason: 'is not a JPEG or PNG' });
    answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(IMAGE);
    expect(await refusal(at('/a.jpg'))).toMatchObject({ problem: 'wrongType' });
    const { port } = new URL(`https://${host}`);
    sources.unshift(httpsImages({ hosts: [`localhost:${port}`], dispatcher }));
    const untrusted = await refusal({ uri: `https://localhost:${port}/a.jpg` });
    sources.shift();
    expect(untrusted).toMatchObject({ problem: 'unavailable', reason: expect.stringContaining('ERR_TLS') });
  });

  it('says that a server is not reached', async () => {
    const unreached = [httpsImages({ hosts: ['127.0.0.1:1'], dispatcher })];
    expect(await thrown(readImage(unreached, { uri: 'https://127.0.0.1:1/a.jpg' }))).toMatchObject({
      problem: 'unavailable',
      reason: 'is not available (ECONNREFUSED)',
    });
  });
});

describe('a source of the host', () => {
  it('reads images of its scheme, and its own errors reveal nothing', async () => {
    const vault: ImageSource = {
      schemes: ['vault'],
      async open(uri) {
        if (uri.endsWith('broken')) throw new Error(`GET https://vault.example/?token=${CANARY}`);
        return {
          bytes: IMAGE.length,
          read: async function* () {
            yield IMAGE;
          },
          close: async () => undefined,
        };
      },
    };
    sources.push(vault);
    expect((await readImage(sources, { uri: 'vault:a' })).equals(IMAGE)).toBe(true);
    expect(await refusal({ uri: 'vault:broken' })).toMatchObject({ problem: 'unavailable' });
    expect(await refusal({ uri: 'other:a' })).toMatchObject({ problem: 'noSource', retry: 'afterFix' });
    sources.pop();
  });

  it('closes each image once, whatever happens to it', async () => {
    let [opened, closed] = [0, 0];
    const source: ImageSource = {
      schemes: ['vault'],
      async open(uri) {
        opened += 1;
        return {
          ...(uri.endsWith('large') ? { bytes: 2 ** 40 } : {}),
          async *read() {
            if (uri.endsWith('broken')) throw new Error(CANARY);
            yield IMAGE;
            if (uri.endsWith('slow')) await new Promise(() => undefined);
          },
          close: async () => {
            closed += 1;
          },
        };
      },
    };
    for (const name of ['whole', 'large', 'broken', 'slow']) {
      await readImage([source], { uri: `vault:${name}` }, { timeoutMs: 200 }).catch(() => undefined);
    }
    expect([opened, closed]).toEqual([4, 4]);
  });
});

describe('an image behind a proxy', () => {
  it('is asked for through the proxy', async () => {
    await using proxy = await serveRaw((socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const source = httpsImages({ hosts: ['images.example'], proxy: { httpsProxy: proxy.url } });
    const error = await thrown(readImage([source], { uri: 'https://images.example/front.jpg' }));
    expect(error).toMatchObject({ problem: 'unavailable', retry: 'soon' });
    expect(proxy.received[0]).toMatch(/^CONNECT images\.example:443 /);
    await source.close?.();
  });

  it('is asked for directly if its host is in noProxy', async () => {
    await using proxy = await serveRaw((socket) => socket.end());
    answer = (_, response) => response.end();
    const source = httpsImages({ hosts: [host], proxy: { httpsProxy: proxy.url, noProxy: '127.0.0.1' } });
    await thrown(readImage([source], at('/front.jpg')));
    expect(proxy.received).toEqual([]);
    await source.close?.();
  });
});
