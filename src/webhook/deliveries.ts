import type { IncomingMessage } from 'node:http';
import { InvalidInputError } from '../contract/index.js';
import type { Authenticate } from './authentication.js';
import { checkAnnouncedBody, readText } from './body.js';
import type { Notified, Settings } from './options.js';
import { type ParsedDelivery, parseDelivery, type StatusDelivery } from './parse-delivery.js';
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
      return { result: await notify(settings, parsed.delivery), body: TAKEN, facts };
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

async function notify(settings: Settings, delivery: StatusDelivery): Promise<Notified> {
  try {
    const taken = await within(settings.notifyTimeoutMs, async () => settings.notify(delivery));
    // A host in JavaScript may return anything.
    return taken === 'unknownSession' || taken === 'ended' ? taken : 'delivered';
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
}

/** An event's name, unless it is none: a log takes no text that anybody could have written. */
function loggable(eventType: string): Partial<EventFacts> {
  return /^[\w .-]{1,60}$/.test(eventType) ? { eventType } : {};
}
