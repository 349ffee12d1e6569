import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Refusal } from './results.js';

interface BodyLimits {
  maxBodyBytes: number;
  bodyTimeoutMs: number;
}

/**
 * Checks the headers that describe the body before the receiver reads it.
 *
 * @throws Refusal
 */
export function checkAnnouncedBody(
  headers: IncomingHttpHeaders,
  acceptedTypes: readonly string[],
  { maxBodyBytes }: BodyLimits,
): void {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (!acceptedTypes.includes(type)) {
    throw new Refusal('wrongContentType', `Content-Type must be ${acceptedTypes.join(' or ')}`, 'Content-Type');
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && !UTF_8.includes(charset.replaceAll('"', ''))) {
    throw new Refusal('wrongContentType', 'charset must be UTF-8', 'Content-Type');
  }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new Refusal('wrongContentType', 'The body must not be compressed', 'Content-Encoding');
  }
  if (Number(headers['content-length']) > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

// ASCII is a subset of UTF-8.
const UTF_8 = ['utf-8', 'utf8', 'us-ascii'];

/**
 * Reads the body and counts its bytes, because a chunked body announces no length.
 *
 * @throws Refusal
 */
export async function readText(request: IncomingMessage, limits: BodyLimits): Promise<string> {
  // Waiting for a body that was already read would end in a timeout that blames the sender.
  if (request.readableDidRead || request.readableEnded) {
    throw new Refusal('alreadyRead', 'The body was read before the receiver got it: mount it before any body parser');
  }
  if (request.destroyed) throw cutOff();
  const bytes = await readBytes(request, limits);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal('malformed', 'body must be UTF-8', 'body');
  }
}

function readBytes(request: IncomingMessage, { maxBodyBytes, bodyTimeoutMs }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > maxBodyBytes) end(() => reject(tooLarge(maxBodyBytes)));
    };
    const onEnd = () => end(() => resolve(Buffer.concat(chunks)));
    const onCutOff = () => end(() => reject(cutOff()));
    const timer = setTimeout(
      () =>
        end(() => reject(new Refusal('incomplete', `The body took longer than ${bodyTimeoutMs} ms`, 'body', CLOSE))),
      bodyTimeoutMs,
    );
    const end = (settle: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onCutOff).pause();
      settle();
    };
    request.on('data', onData).on('end', onEnd).on('close', onCutOff);
  });
}

/** To keep the connection, the receiver would have to read the rest of the body. */
const CLOSE = { connection: 'close' };

function cutOff(): Refusal {
  return new Refusal('incomplete', 'The body was cut off', 'body');
}

function tooLarge(maxBodyBytes: number): Refusal {
  return new Refusal('tooLarge', `body must have at most ${maxBodyBytes} bytes`, 'body', CLOSE);
}
