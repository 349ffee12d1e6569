import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OnboardingClient } from '../../src/client/index.js';
import { ask, makeToken, startGateway, type TestGateway } from './support.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ client: {} as OnboardingClient, tokens: () => [makeToken('ops', 'read').entry] });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const DIRECTORY = new URL('../../dist/console/', import.meta.url);
const FILES = ['/console/main.js', '/console/main.css', '/console/icon.svg'];

/** Like `ask`, but `fetch` decompresses answers. */
function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>((resolve, reject) => {
    const sent = request(`${gateway.url}${path}`, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    sent.on('error', reject).end();
  });
}

describe('the console', () => {
  it('is served without a token, and every file that the page names exists', async () => {
    const page = await ask(gateway, 'GET /');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const named = [...page.body.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path);
    expect(named.sort()).toEqual([...FILES].sort());
    for (const path of FILES) expect((await ask(gateway, `GET ${path}`)).status).toBe(200);
  });

  it.each(['/', ...FILES])(
    'permits at %s only its own files, and no inline code, frames or other hosts',
    async (path) => {
      const { headers } = await ask(gateway, `GET ${path}`);
      const policy = String(headers.get('content-security-policy'));
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      const sources = policy.split('; ').flatMap((directive) => directive.split(' ').slice(1));
      expect([...new Set(sources)].sort()).toEqual(["'none'", "'script'", "'self'"]);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    },
  );

  it('has no code or style in the page itself', () => {
    const page = readFileSync(new URL('index.html', DIRECTORY), 'utf8');
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
  });

  it.each(['/', ...FILES])('sends %s again only if it has changed', async (path) => {
    const first = await get(path);
    expect(first.headers['cache-control']).toBe('no-cache');
    const again = await get(path, { 'if-none-match': String(first.headers.etag) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await get(path, { 'if-none-match': 'W/"other"' })).status).toBe(200);
  });

  it('compresses its files for those who accept it', async () => {
    const plain = await get('/console/main.js');
    const zipped = await get('/console/main.js', { 'accept-encoding': 'br, gzip' });
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([undefined, 'gzip']);
    expect(zipped.headers.vary).toBe('accept-encoding');
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
  });

  it('takes less than 150 KB compressed', () => {
    const sizes = readdirSync(DIRECTORY).map((name) => gzipSync(readFileSync(new URL(name, DIRECTORY))).length);
    expect(sizes.length).toBeGreaterThan(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  it('contains the license of the library that it contains', () => {
    expect(readFileSync(new URL('uplot-license.txt', DIRECTORY), 'utf8')).toContain('Leon Sorokin');
  });
});
