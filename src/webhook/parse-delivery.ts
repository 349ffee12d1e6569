import { checkInterviewId, correctOnboardingStatus, InvalidInputError } from '../contract/index.js';

/** Incode says that a session has reached a status. Deliveries come at least once, and in any order. */
export interface StatusDelivery {
  interviewId: string;
  /** The latest milestone, from an open set; corrected where Incode misspells it, otherwise as it came. */
  onboardingStatus: string;
  flowId?: string;
  /** What the session was started with as `externalCustomerId`. */
  externalId?: string;
}

export type ParsedDelivery =
  | { kind: 'status'; delivery: StatusDelivery }
  /** A session webhook that names no onboarding status, such as "Identity Enrolled". */
  | { kind: 'ignored'; eventType: string };

/**
 * Reads the parsed JSON of an onboarding status webhook or of a session webhook. What this package does not need may be
 * there or not, and be anything; names that Incode varies are known by all their spellings.
 *
 * An event without a status is not translated into one: "Session Succeeded" comes after a decision of the rules and after
 * a person's, and which it was cannot be told.
 *
 * @throws InvalidInputError naming the field, and repeating no value
 */
export function parseDelivery(body: unknown): ParsedDelivery {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidInputError('body', 'must be a JSON object');
  }
  const fields = body as Record<string, unknown>;
  const eventType = text(fields.event_type) ?? text(fields.eventType);
  const status = fields.onboardingStatus;
  if (eventType !== undefined && (status === undefined || status === null || status === '')) {
    return { kind: 'ignored', eventType };
  }
  const flowId = text(fields.flowId);
  const externalId = text(fields.externalId) ?? text(fields.externalCustomerId);
  return {
    kind: 'status',
    delivery: {
      interviewId: checkInterviewId(fields.interviewId),
      onboardingStatus: checkStatus(status),
      ...(flowId === undefined ? {} : { flowId }),
      ...(externalId === undefined ? {} : { externalId }),
    },
  };
}

// Incode's longest has 32 characters. What is much longer is no status, and would end up in a workflow's history.
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
