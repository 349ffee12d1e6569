import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/contract/index.js';
import { parseDelivery } from '../../src/webhook/index.js';
import { cases, fc, printable } from '../support/property.js';

const NAMES = [
  'interviewId',
  'onboardingStatus',
  'event_type',
  'eventType',
  'flowId',
  'externalId',
  'externalCustomerId',
];

/** JSON that often has the field names of webhooks. */
const body = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), fc.oneof(printable(120), fc.jsonValue())),
);
const status = fc
  .oneof(fc.constantFrom('ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED'), printable(100))
  // The normalized spelling.
  .map((status) => status.toUpperCase())
  .filter((status) => status !== 'ONBOADING_FINISHED');
const delivery = fc.record({ interviewId: printable(200), onboardingStatus: status });

describe('parseDelivery', () => {
  it('reads any JSON or refuses it without showing a value', () => {
    const secret = 'secret-of-a-person';
    fc.assert(
      fc.property(body, fc.constantFrom(...NAMES), fc.boolean(), (body, name, addsSecret) => {
        const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
        try {
          const parsed = parseDelivery(addsSecret && isObject ? { ...body, [name]: `${secret} ` } : body);
          expect(['status', 'ignored']).toContain(parsed.kind);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
          expect((error as Error).message).not.toContain(secret);
        }
      }),
      cases(3),
    );
  });

  it('reads every status of every session and knows every spelling of the names', () => {
    fc.assert(
      fc.property(
        delivery,
        fc.option(printable(40)),
        fc.option(printable(40)),
        fc.constantFrom('externalId', 'externalCustomerId'),
        fc.option(fc.constantFrom('event_type', 'eventType')),
        (delivery, flowId, externalId, externalName, eventName) => {
          const event = eventName ? { [eventName]: 'Session Succeeded' } : {};
          expect(parseDelivery({ ...event, ...delivery, flowId, [externalName]: externalId })).toEqual({
            kind: 'status',
            delivery: { ...delivery, ...(flowId ? { flowId } : {}), ...(externalId ? { externalId } : {}) },
          });
        },
      ),
      cases(),
    );
  });

  it('drops unknown fields and reads its own deliveries unchanged', () => {
    const unknown = fc.dictionary(
      fc.string().filter((name) => !NAMES.includes(name)),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(unknown, delivery, (more, delivery) => {
        const parsed = parseDelivery({ ...more, ...delivery });
        expect(parsed).toEqual({ kind: 'status', delivery });
        expect(parsed.kind === 'status' && parseDelivery(parsed.delivery)).toEqual(parsed);
      }),
      cases(),
    );
  });

  it('ignores an event without a status', () => {
    const absent = fc.constantFrom({}, { onboardingStatus: null }, { onboardingStatus: '' });
    fc.assert(
      fc.property(
        fc.constantFrom('event_type', 'eventType'),
        fc.string({ minLength: 1 }),
        absent,
        (name, type, none) => {
          expect(parseDelivery({ interviewId: 'i', ...none, [name]: type })).toEqual({
            kind: 'ignored',
            eventType: type,
          });
        },
      ),
      cases(),
    );
  });
});
