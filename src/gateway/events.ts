import { PassThrough } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { checkBatchId, checkInterviewId } from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { authentication } from './access.js';
import { queryOf } from './body.js';
import type { Closing } from './closing.js';
import { Feed, type Listener } from './feed.js';
import { route } from './guard.js';
import { OPERATIONS } from './operations.js';
import type { GatewaySettings } from './options.js';
import { GatewayProblem, RETRY_AFTER } from './problems.js';

/** Each different session and batch costs requests to Temporal every two seconds. */
const MAX_TOPICS = 100;

/** A listener that does not read is ended, because its events would fill the memory. */
const MAX_UNREAD_BYTES = 1_048_576;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Proxies based on nginx would hold events back.
  'x-accel-buffering': 'no',
};

/** Server-sent events: what changes, about two seconds later. */
export function eventRoutes(app: FastifyInstance, settings: GatewaySettings, closing: Closing): void {
  const feed = new Feed(settings.client);
  const authenticate = authentication(settings.tokens);
  route(app, 'watchEvents', async (request, reply, { subject }) => {
    const { session, batch } = queryOf(request, OPERATIONS.watchEvents.query);
    const topic = omitUndefined({
      interviewId: session === undefined ? undefined : checkInterviewId(session),
      batchId: batch === undefined ? undefined : checkBatchId(batch),
    });
    Object.assign(subject, topic);
    const isFull = feed.size >= settings.maxListeners;
    if (isFull || (Object.keys(topic).length > 0 && feed.topicsWith(topic) > MAX_TOPICS)) {
      throw new GatewayProblem('TooManyListeners', 'Others listen already. Ask again later', { headers: RETRY_AFTER });
    }
    const stream = new PassThrough();
    const write = (text: string) => {
      if (stream.writableLength > MAX_UNREAD_BYTES) stream.destroy();
      else stream.write(text);
    };
    const listener: Listener = { ...topic, send: (event, data) => write(`event: ${event}\ndata: ${data}\n\n`) };
    const leave = feed.listen(listener);
    const keepAlive = setInterval(() => {
      // A token that was removed from the file also ends what it has begun.
      if (authenticate(request.headers)?.scopes.includes('read')) write(': keep-alive\n\n');
      else stream.end();
    }, settings.keepAliveMs).unref();
    const closed = closing.onClose(() => stream.end());
    stream.once('close', () => {
      leave();
      closed();
      clearInterval(keepAlive);
    });
    return reply.headers(HEADERS).send(stream);
  });
}
