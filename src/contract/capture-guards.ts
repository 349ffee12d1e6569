import { checkCapturePerson, checkImageReference, IMAGE_SIDES, PERSON_FIELDS } from './capture.js';
import type { CapturePlan } from './capture-plan.js';
import type { CaptureInput, ReplaceImageInput, SessionStartedInput, SuspectedOrphan } from './capture-workflow.js';
import {
  asObject,
  boolean,
  duration,
  InvalidInputError,
  isInterviewId,
  omitAbsent,
  oneOf,
  onlyKeys,
  PLAN_DEFAULTS,
  resolvePlan,
} from './guards.js';
import type { Plan } from './types.js';

/** The default of each part of the plan that sessions do not have. */
export const CAPTURE_PLAN_DEFAULTS = {
  onRefusedImage: 'continue',
  imageDeadline: '7 days',
  processDeadline: '15 minutes',
  findSessionWithin: '2 minutes',
  government: false,
  watchlist: false,
  purge: 'none',
} as const satisfies Required<Omit<CapturePlan, keyof Plan>>;

/** The parts of a plan that sessions do not have, with every default filled in and durations in milliseconds. */
export interface ResolvedCapturePlan {
  onRefusedImage: 'continue' | 'wait' | 'fail';
  imageDeadlineMs: number;
  processDeadlineMs: number;
  findSessionWithinMs: number;
  government: boolean;
  watchlist: boolean;
  purge: 'none' | 'images' | 'session';
  /** The session's own plan, as it was given. */
  session: Plan;
}

/**
 * Checks the input of `captureOnboarding`, which may come from any language, and returns it.
 *
 * @throws InvalidInputError naming the first invalid field. An unknown key is invalid too, because it may be a misspelled one.
 */
export function checkCaptureInput(value: unknown): CaptureInput {
  const input = omitAbsent(asObject('input', value));
  onlyKeys('input', input, [...PERSON_FIELDS, 'plan', 'earlierSessions']);
  const { plan, earlierSessions, ...person } = input;
  const checked = checkCapturePerson(person);
  resolveCapturePlan(plan);
  return {
    ...checked,
    ...(plan === undefined ? {} : { plan: plan as CapturePlan }),
    ...(earlierSessions === undefined ? {} : { earlierSessions: checkEarlierSessions(earlierSessions) }),
  };
}

/** Each run that fails adds about one. A shard asks for 200 people at once, and Temporal refuses payloads above 2 MB. */
export const MAX_EARLIER_SESSIONS = 20;

function checkEarlierSessions(value: unknown): SuspectedOrphan[] {
  if (!Array.isArray(value) || value.length > MAX_EARLIER_SESSIONS) {
    throw new InvalidInputError('earlierSessions', `must be a list of at most ${MAX_EARLIER_SESSIONS} sessions`);
  }
  return value.map((entry, index) => {
    const field = `earlierSessions[${index}]`;
    const session = asObject(field, entry);
    onlyKeys(field, session, ['externalCustomerId', 'interviewId']);
    const { externalCustomerId, interviewId = null } = session;
    if (typeof externalCustomerId !== 'string' || !/^[!-~]{1,200}$/.test(externalCustomerId)) {
      throw new InvalidInputError(`${field}.externalCustomerId`, 'must be printable ASCII without spaces');
    }
    if (interviewId !== null && !isInterviewId(interviewId)) {
      throw new InvalidInputError(`${field}.interviewId`, 'must be an interview id or null');
    }
    return { externalCustomerId, interviewId };
  });
}

/** Checks a plan and fills in its defaults, with durations in milliseconds. @throws InvalidInputError */
export function resolveCapturePlan(value: unknown): ResolvedCapturePlan {
  const input = omitAbsent(value === undefined ? {} : asObject('plan', value));
  onlyKeys('plan', input, [...Object.keys(PLAN_DEFAULTS), ...Object.keys(CAPTURE_PLAN_DEFAULTS)]);
  const {
    onRefusedImage,
    imageDeadline,
    processDeadline,
    findSessionWithin,
    government,
    watchlist,
    purge,
    ...session
  } = {
    ...CAPTURE_PLAN_DEFAULTS,
    ...input,
  } as Record<string, unknown>;
  resolvePlan(session);
  return {
    onRefusedImage: oneOf('plan.onRefusedImage', onRefusedImage, ['continue', 'wait', 'fail']),
    imageDeadlineMs: duration('plan.imageDeadline', imageDeadline),
    processDeadlineMs: duration('plan.processDeadline', processDeadline),
    findSessionWithinMs: duration('plan.findSessionWithin', findSessionWithin),
    government: boolean('plan.government', government),
    watchlist: boolean('plan.watchlist', watchlist),
    purge: oneOf('plan.purge', purge, ['none', 'images', 'session']),
    session: session as Plan,
  };
}

/** Fills in the defaults of a plan. Durations stay strings. */
export function capturePlanWithDefaults(plan: CapturePlan | null | undefined): Required<CapturePlan> {
  return { ...PLAN_DEFAULTS, ...CAPTURE_PLAN_DEFAULTS, ...omitAbsent({ ...plan }) };
}

/** Checks the argument of `replaceImage`. @throws InvalidInputError */
export function checkReplaceImageInput(value: unknown): ReplaceImageInput {
  const input = asObject('replaceImage', value);
  onlyKeys('replaceImage', input, ['side', 'image']);
  return {
    side: oneOf('replaceImage.side', input.side, IMAGE_SIDES),
    image: checkImageReference(input.image, 'replaceImage.image'),
  };
}

/** Reads the argument of the signal `sessionStarted`. @returns `undefined` for an invalid one, because signals cannot be refused */
export function parseSessionStarted(value: unknown): SessionStartedInput | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { interviewId, externalCustomerId } = value as Record<string, unknown>;
  if (!isInterviewId(interviewId) || typeof externalCustomerId !== 'string') return undefined;
  return { interviewId, externalCustomerId };
}
