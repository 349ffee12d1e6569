import { checkInterviewId, InvalidInputError, referenceOf } from '../contract/index.js';
import { correctOnboardingStatus } from '../contract/milestones.js';
import { omitUndefined } from '../contract/omit-undefined.js';

/** The status of a session, from one of Incode's webhooks. Deliveries arrive at least once and in any order. */
export interface StatusDelivery {
  interviewId: string;
  /** The latest milestone, from an open set, in Incode's usual spelling. */
  onboardingStatus: string;
  flowId?: string;
  /** The `externalCustomerId` with which the session was started. */
  externalId?: string;
}

/** The session that a request of the workflow `captureOnboarding` has opened, from Incode's Session Started webhook. */
export interface StartedDelivery {
  interviewId: string;
  externalCustomerId: string;
}

export type ParsedDelivery =
  | { kind: 'status'; delivery: StatusDelivery }
  | { kind: 'started'; delivery: StartedDelivery }
  /** A session webhook without an onboarding status, such as "Identity Enrolled". */
  | { kind: 'ignored'; eventType: string };

/**
 * Reads the JSON of an onboarding status webhook or of a session webhook. It ignores unknown fields and knows every spelling of the
 * names that Incode varies.
 *
 * It does not translate an event without a status into one, because "Session Succeeded" follows both a decision of the rules and a
 * person's decision.
 *
 * @throws InvalidInputError naming the field, without its value
 * @example
 * ```ts
 * const parsed = parseDelivery(JSON.parse(body));
 * if (parsed.kind === 'status') await onboarding.statusChanged(parsed.delivery);
 * ```
 */
export function parseDelivery(body: unknown): ParsedDelivery {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError('body', 'must be a JSON object');
  }
  const fields = body as Record<string, unknown>;
  const eventType = text(fields.event_type) ?? text(fields.eventType);
  const externalId = text(fields.externalId) ?? text(fields.externalCustomerId);
  const externalCustomerId = String(externalId);
  if (/^session[ _]started$/i.test(String(eventType)) && referenceOf(externalCustomerId) !== undefined) {
    return { kind: 'started', delivery: { interviewId: checkInterviewId(fields.interviewId), externalCustomerId } };
  }
  const status = fields.onboardingStatus;
  if (eventType !== undefined && (status === undefined || status === null || status === '')) {
    return { kind: 'ignored', eventType };
  }
  const flowId = text(fields.flowId);
  return {
    kind: 'status',
    delivery: {
      interviewId: checkInterviewId(fields.interviewId),
      onboardingStatus: checkStatus(status),
      ...omitUndefined({ flowId, externalId }),
    },
  };
}

// Incode's statuses have at most 32 characters. The limit keeps longer texts out of histories.
const MAX_STATUS_LENGTH = 100;

function checkStatus(value: unknown): string {
  const status = text(text(value)?.trim());
  if (status === undefined) throw new InvalidInputError('onboardingStatus', 'must be a non-empty string');
  if (status.length > MAX_STATUS_LENGTH || !/^[\x21-\x7e]+$/.test(status)) {
    throw new InvalidInputError(
      'onboardingStatus',
      `must be at most ${MAX_STATUS_LENGTH} characters of printable ASCII without spaces`,
    );
  }
  return correctOnboardingStatus(status);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
