import type { IncomingMessage } from 'node:http';
import { InvalidInputError } from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { TimeLimitError, withTimeLimit } from '../network/time-limit.js';
import type { Authenticate } from './authentication.js';
import { checkAnnouncedBody, readText } from './body.js';
import { type Coalesced, coalescing } from './coalescing.js';
import type { Notified, Settings } from './options.js';
import { type ParsedDelivery, parseDelivery } from './parse-delivery.js';
import { type EventFacts, Refusal, type RequestResult } from './results.js';

/** The answer that Incode's documentation asks for. */
const ACCEPTED = { success: true };

/** Incode sends a delivery again after 30 s. It is not known whether it follows the header. */
const RETRY_AFTER = { 'retry-after': '30' };

/**
 * Accepts one delivery. The cheapest check comes first: before authentication, only the headers are read.
 *
 * @throws Refusal
 */
export function deliveryReceiver(settings: Settings, authenticate: Authenticate) {
  const notifyOnce = coalescing(settings);
  return async (request: IncomingMessage): Promise<RequestResult> => {
    checkAnnouncedBody(request.headers, ['application/json'], settings);
    const credential = await authenticate(request.headers);
    const facts: Partial<EventFacts> = omitUndefined({ credential });
    try {
      const parsed = parse(await readText(request, settings));
      if (parsed.kind === 'ignored') {
        return { result: 'ignored', body: ACCEPTED, facts: { ...facts, ...loggable(parsed.eventType) } };
      }
      if (parsed.kind === 'started') {
        const { notifyStarted, notifyTimeoutMs } = settings;
        const { delivery } = parsed;
        facts.interviewId = delivery.interviewId;
        if (!notifyStarted) return { result: 'ignored', body: ACCEPTED, facts };
        const result = await notified(() => notifyStarted(delivery), notifyTimeoutMs);
        return { result, body: ACCEPTED, facts };
      }
      const { interviewId, onboardingStatus } = parsed.delivery;
      Object.assign(facts, { interviewId, onboardingStatus });
      const result = await notified(() => notifyOnce(parsed.delivery), settings.notifyTimeoutMs);
      return { result, body: ACCEPTED, facts };
    } catch (error) {
      if (error instanceof Refusal) Object.assign(error.facts, facts);
      throw error;
    }
  };
}

function parse(text: string): ParsedDelivery {
  try {
    return parseDelivery(JSON.parse(text));
  } catch (error) {
    if (error instanceof InvalidInputError) throw new Refusal('malformed', error.message, error.field);
    // The parser's message would quote the text.
    throw new Refusal('malformed', 'body must be JSON', 'body');
  }
}

async function notified(notify: () => Promise<Coalesced>, timeoutMs: number): Promise<Notified> {
  let result: Coalesced;
  try {
    result = await withTimeLimit(timeoutMs, notify);
  } catch (error) {
    const why = error instanceof TimeLimitError ? 'took too long' : 'failed';
    const refusal = new Refusal('unavailable', `Notifying the session ${why}: send it again`, undefined, RETRY_AFTER);
    refusal.facts.error = error;
    throw refusal;
  }
  if (result === 'tooMany') {
    throw new Refusal('tooMany', 'The session has too many statuses at once: send it again', undefined, RETRY_AFTER);
  }
  // A host in JavaScript may return anything.
  return result === 'unknownSession' || result === 'ended' ? result : 'delivered';
}

/** Logs the event type only if it looks like one, because anyone can send any text. */
function loggable(eventType: string): Partial<EventFacts> {
  return /^[\w .-]{1,60}$/.test(eventType) ? { eventType } : {};
}
