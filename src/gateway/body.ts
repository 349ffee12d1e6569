import { PassThrough, type Readable } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyRequest } from 'fastify';
import { asObject, omitAbsent, onlyKeys } from '../contract/guards.js';
import { InvalidInputError } from '../contract/index.js';
import { GatewayProblem } from './problems.js';

/** JSON bodies are read whole, with a limit in bytes and in time. */
export function acceptJson(app: FastifyInstance, { maxBodyBytes, bodyTimeoutMs }: JsonLimits): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: maxBodyBytes },
    async (_: FastifyRequest, body: Buffer) => parsed(body),
  );
  app.addHook('preParsing', async (request, _reply, payload) => {
    checkEncoding(request);
    return limited(payload as Readable, bodyTimeoutMs);
  });
}

/** @throws GatewayProblem for a compressed body */
export function checkEncoding({ headers }: FastifyRequest): void {
  if ((headers['content-encoding'] ?? 'identity') === 'identity') return;
  const field = 'Content-Encoding';
  throw new GatewayProblem('UnsupportedMediaType', 'Send the body without compression', { field });
}

export interface JsonLimits {
  maxBodyBytes: number;
  bodyTimeoutMs: number;
}

function parsed(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The parser's message would quote the text.
    throw new InvalidInputError('body', 'must be JSON in UTF-8');
  }
}

/** A copy of the stream, because destroying the request itself would leave no connection to answer on. */
function limited(payload: Readable, timeoutMs: number): Readable {
  // An error while nobody reads the copy, because the request was refused, concerns nobody.
  const copy = new PassThrough().on('error', () => undefined);
  const headers = { connection: 'close' };
  const refuse = (message: string) => copy.destroy(new GatewayProblem('RequestTimeout', message, { headers }));
  const timer = setTimeout(() => refuse(`The body took longer than ${timeoutMs} ms`), timeoutMs);
  payload
    .on('error', () => undefined)
    .once('close', () => {
      clearTimeout(timer);
      if (!payload.readableEnded) refuse('The body was cut off');
    })
    .once('end', () => clearTimeout(timer))
    .pipe(copy);
  return copy;
}

/**
 * The fields of a JSON body. An absent body has none.
 *
 * @throws InvalidInputError for an unknown field, because it may be a misspelled one
 */
export function fieldsOf({ body }: FastifyRequest, names: readonly string[]): Record<string, unknown> {
  const fields = omitAbsent(body === undefined || body === null ? {} : asObject('body', body));
  onlyKeys('body', fields, names);
  return fields;
}

/** @throws InvalidInputError for an unknown parameter, or one that occurs twice */
export function queryOf<Name extends string>(
  { query }: FastifyRequest,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const given = query as Record<string, string | string[]>;
  onlyKeys('query', given, names);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') throw new InvalidInputError(name, 'must occur once');
  }
  return given as Partial<Record<Name, string>>;
}

/** @returns the value, if it is one of the choices. @throws InvalidInputError */
export function oneOf<T extends string | boolean>(field: string, value: unknown, choices: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const choice = choices.find((allowed) => allowed === value);
  if (choice === undefined) throw new InvalidInputError(field, `must be one of ${choices.join(', ')}`);
  return choice;
}

/** Whether a part of the body has not arrived. To keep the connection, the gateway would have to read the rest. */
export function hasMoreBody({ raw }: FastifyRequest): boolean {
  const isAnnounced = Number(raw.headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in raw.headers;
  return isAnnounced && !raw.complete;
}

const CUT_OFF = ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'];

/** @returns the error to answer with, for one that Fastify throws before a handler runs */
export function ownError(error: unknown, { maxBodyBytes }: JsonLimits): unknown {
  const { code = '', statusCode } = error as Partial<FastifyError>;
  if (CUT_OFF.includes(code)) return new GatewayProblem('RequestTimeout', 'The body was cut off');
  if (!code.startsWith('FST_')) return error;
  if (statusCode === 413) {
    const headers = { connection: 'close' };
    return new GatewayProblem('ContentTooLarge', `The body must have at most ${maxBodyBytes} bytes`, { headers });
  }
  if (statusCode === 415) {
    return new GatewayProblem('UnsupportedMediaType', 'Send the body as application/json', { field: 'Content-Type' });
  }
  return Number(statusCode) < 500 ? new InvalidInputError('request', 'is not valid for this path') : error;
}
