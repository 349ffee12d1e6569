import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What `npm run build` makes of src/console. */
const DIRECTORY = new URL('../../dist/console/', import.meta.url);

const FILES = {
  '/': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/console/main.js': { name: 'main.js', type: 'text/javascript; charset=utf-8' },
  '/console/main.css': { name: 'main.css', type: 'text/css; charset=utf-8' },
  '/console/icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
} as const;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  // The console parses no HTML, so nothing that it shows can become code.
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Browsers ask whether it has changed, so that an upgrade of the gateway replaces the page and its code together.
  'cache-control': 'no-cache',
  vary: 'accept-encoding',
};

interface StoredFile {
  plain: Buffer;
  zipped: Buffer;
  etag: string;
}

/** The page for browsers. It needs no token: it contains nothing that is not public, and asks for a token itself. */
export function consoleRoutes(app: FastifyInstance): void {
  for (const [url, { name, type }] of Object.entries(FILES)) {
    let stored: StoredFile | undefined;
    app.get(url, async (request, reply) => {
      stored ??= load(name);
      return answer(request, reply.type(type), stored);
    });
  }
}

function answer({ headers }: FastifyRequest, reply: FastifyReply, { plain, zipped, etag }: StoredFile): FastifyReply {
  reply.headers({ ...HEADERS, etag });
  if (headers['if-none-match'] === etag) return reply.code(304).send();
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.send(plain);
  return reply.header('content-encoding', 'gzip').send(zipped);
}

function load(name: string): StoredFile {
  const plain = readFileSync(new URL(name, DIRECTORY));
  // Weak, because the tag is the same for both encodings.
  const etag = `W/"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
  return { plain, zipped: gzipSync(plain), etag };
}
