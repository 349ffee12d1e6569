import type { IncomingMessage } from 'node:http';
import { InvalidInputError } from '../contract/index.js';
import type { Authenticate } from './authentication.js';
import { checkAnnouncedBody, readText } from './body.js';
import { type Coalesced, coalescing } from './coalescing.js';
import type { Notified, Settings } from './options.js';
import { type ParsedDelivery, parseDelivery } from './parse-delivery.js';
import { type EventFacts, type Outcome, Refusal } from './results.js';
import { TimeLimitError, within } from './time-limit.js';

/** What Incode's documentation asks for in an answer to a webhook. */
const TAKEN = { success: true };

/** When Incode's own first repetition comes; whether it heeds the header is not known. */
const RETRY_AFTER = { 'retry-after': '30' };

/**
 * Takes one delivery, the cheapest check first: of a stranger's request nothing but the headers is read.
 *
 * @throws Refusal
 */
export function deliveryReceiver(settings: Settings, authenticate: Authenticate) {
  const handOn = coalescing(settings);
  return async (request: IncomingMessage): Promise<Outcome> => {
    checkAnnouncedBody(request.headers, ['application/json'], settings);
    const credential = await authenticate(request.headers);
    const facts: Partial<EventFacts> = credential === undefined ? {} : { credential };
    try {
      const parsed = parse(await readText(request, settings));
      if (parsed.kind === 'ignored') {
        return { result: 'ignored', body: TAKEN, facts: { ...facts, ...loggable(parsed.eventType) } };
      }
      const { interviewId, onboardingStatus } = parsed.delivery;
      Object.assign(facts, { interviewId, onboardingStatus });
      return { result: await notify(() => handOn(parsed.delivery), settings.notifyTimeoutMs), body: TAKEN, facts };
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
    // The parser's own message quotes the text.
    throw new Refusal('malformed', 'body must be JSON', 'body');
  }
}

async function notify(handOn: () => Promise<Coalesced>, timeoutMs: number): Promise<Notified> {
  let taken: Coalesced;
  try {
    taken = await within(timeoutMs, handOn);
  } catch (error) {
    const why = error instanceof TimeLimitError ? 'took too long' : 'is not possible';
    const refusal = new Refusal(
      'unavailable',
      `Handing the delivery on ${why} now: send it again`,
      undefined,
      RETRY_AFTER,
    );
    refusal.facts.error = error;
    throw refusal;
  }
  if (taken === 'tooMany') {
    throw new Refusal('tooMany', 'The session has too many statuses at once: send it again', undefined, RETRY_AFTER);
  }
  // A host in JavaScript may return anything.
  return taken === 'unknownSession' || taken === 'ended' ? taken : 'delivered';
}

/** An event's name, unless it is none: a log takes no text that anybody could have written. */
function loggable(eventType: string): Partial<EventFacts> {
  return /^[\w .-]{1,60}$/.test(eventType) ? { eventType } : {};
}
