import { parseDuration } from './duration.js';
import { TemporalIncodeError } from './errors.js';
import { excerpt } from './excerpt.js';
import { correctOnboardingStatus } from './milestones.js';
import type { FinishAnswer, OnboardingInput, Plan, RenewTokenInput } from './types.js';
import { VERIFY_FIRST, type VerifyFirst } from './verify-first.js';

/** A plan with every default filled in and durations in milliseconds. */
export interface ResolvedPlan {
  finishWhen: 'now' | 'processed' | 'asked';
  captureDeadlineMs: number;
  close: boolean;
  score: boolean;
  scoreDeadlineMs: number;
  review: 'report' | 'wait';
  reviewDeadlineMs: number;
}

/** The default of each part of the plan. */
export const PLAN_DEFAULTS = {
  finishWhen: 'now',
  captureDeadline: '7 days',
  close: false,
  score: true,
  scoreDeadline: '15 minutes',
  review: 'report',
  reviewDeadline: '30 days',
} as const satisfies Required<Plan>;

/** An invalid input. `field` is a path such as `plan.scoreDeadline`. The message never contains a secret. */
export class InvalidInputError extends TemporalIncodeError {
  override readonly name = 'InvalidInputError';
  readonly field: string;

  constructor(field: string, expected: string) {
    super(`${field} ${expected}`);
    this.field = field;
  }
}

/**
 * Checks the input of `onboardingSession`, which may come from any language, and returns it.
 *
 * @throws InvalidInputError naming the first invalid field. An unknown key is invalid too, because it may be a misspelled one.
 * @example
 * ```ts
 * const input = checkOnboardingInput(JSON.parse(body));
 * await client.workflow.start(ONBOARDING_WORKFLOW, {
 *   workflowId: onboardingWorkflowId(input.interviewId),
 *   taskQueue: TASK_QUEUE,
 *   args: [input],
 * });
 * ```
 */
export function checkOnboardingInput(value: unknown): OnboardingInput {
  const input = omitAbsent(asObject('input', value));
  onlyKeys('input', input, ['interviewId', 'sessionToken', 'flowId', 'plan', 'verifyFirst']);
  checkSession(input);
  if (input.verifyFirst !== undefined) checkVerifyFirst(input.verifyFirst);
  resolvePlan(input.plan);
  return input as unknown as OnboardingInput;
}

/**
 * @param prefix of the field names in errors, such as `sessions[3].`
 * @throws InvalidInputError
 */
export function checkSession({ interviewId, sessionToken, flowId }: Record<string, unknown>, prefix = ''): void {
  checkInterviewId(interviewId, `${prefix}interviewId`);
  if (sessionToken !== undefined) checkSessionToken(sessionToken, `${prefix}sessionToken`);
  if (flowId !== undefined) checkFlowId(flowId, `${prefix}flowId`);
}

/** Checks the argument of `renewToken`. @throws InvalidInputError */
export function checkRenewTokenInput(value: unknown): RenewTokenInput {
  const input = asObject('renewToken', value);
  onlyKeys('renewToken', input, ['sessionToken']);
  return { sessionToken: checkSessionToken(input.sessionToken) };
}

/**
 * Checks the argument of `extendDeadline`.
 *
 * @returns how much to extend the deadline by, in milliseconds
 * @throws InvalidInputError
 */
export function checkExtendDeadlineInput(value: unknown): number {
  const input = asObject('extendDeadline', value);
  onlyKeys('extendDeadline', input, ['by']);
  return duration('extendDeadline.by', input.by);
}

/**
 * Reads the status from the argument of the signal `statusChanged`. Signals cannot be refused, so an invalid one is ignored.
 *
 * @returns `undefined` if the argument has no valid status, or is about another session
 */
export function parseStatusChanged(value: unknown, interviewId: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const signal = value as Record<string, unknown>;
  if (signal.interviewId !== undefined && signal.interviewId !== interviewId) return undefined;
  if (typeof signal.onboardingStatus !== 'string') return undefined;
  const onboardingStatus = correctOnboardingStatus(signal.onboardingStatus);
  // Limited, because the workflow keeps it. Incode's statuses have at most 32 characters.
  return /^[A-Z0-9_]{1,64}$/.test(onboardingStatus) ? onboardingStatus : undefined;
}

/** Checks a plan and fills in its defaults, with durations in milliseconds. @throws InvalidInputError */
export function resolvePlan(value: unknown): ResolvedPlan {
  const plan: Record<string, unknown> = {
    ...PLAN_DEFAULTS,
    ...omitAbsent(value === undefined ? {} : asObject('plan', value)),
  };
  onlyKeys('plan', plan, Object.keys(PLAN_DEFAULTS));
  return {
    finishWhen: oneOf('plan.finishWhen', plan.finishWhen, ['now', 'processed', 'asked']),
    captureDeadlineMs: duration('plan.captureDeadline', plan.captureDeadline),
    close: boolean('plan.close', plan.close),
    score: boolean('plan.score', plan.score),
    scoreDeadlineMs: duration('plan.scoreDeadline', plan.scoreDeadline),
    review: oneOf('plan.review', plan.review, ['report', 'wait']),
    reviewDeadlineMs: duration('plan.reviewDeadline', plan.reviewDeadline),
  };
}

/** Fills in the defaults of a plan. Durations stay strings. */
export function planWithDefaults(plan: Plan | null | undefined): Required<Plan> {
  return { ...PLAN_DEFAULTS, ...omitAbsent({ ...plan }) };
}

/**
 * Whether the outcome depends on the score. If the answer with the action was lost, it does, even if the plan has no score. If
 * finishing is unconfirmed, it does not.
 */
export function needsScore(plan: Pick<ResolvedPlan, 'score'>, finish: FinishAnswer): boolean {
  return finish.confirmedBy !== 'unconfirmed' && (plan.score || finish.action === null);
}

/** @throws InvalidInputError */
export function checkVerifyFirst(value: unknown): VerifyFirst | boolean {
  return typeof value === 'boolean' ? value : oneOf('verifyFirst', value, VERIFY_FIRST);
}

/**
 * Checks an interview id, which becomes part of a URL query and of the workflow id. Incode's ids are hexadecimal, but their format is
 * not documented, so all printable ASCII without spaces is accepted.
 *
 * @throws InvalidInputError
 */
export function checkInterviewId(value: unknown, field = 'interviewId'): string {
  if (typeof value !== 'string' || value === '') throw new InvalidInputError(field, 'must be a non-empty string');
  if (value.length > MAX_ID_LENGTH) throw tooLong(field, MAX_ID_LENGTH);
  if (!PRINTABLE_ASCII.test(value)) throw new InvalidInputError(field, 'must be printable ASCII without spaces');
  return value;
}

/**
 * Checks a session token. The worker sends it in the header `X-Incode-Hardware-Id`, where a line break would inject another header.
 *
 * @throws InvalidInputError without the token
 */
export function checkSessionToken(value: unknown, field = 'sessionToken'): string {
  if (typeof value !== 'string' || value === '') {
    throw new InvalidInputError(field, 'must be a non-empty string');
  }
  if (value.length > MAX_TOKEN_LENGTH) throw tooLong(field, MAX_TOKEN_LENGTH);
  if (!PRINTABLE_ASCII.test(value)) {
    throw new InvalidInputError(field, 'must be printable ASCII without spaces or line breaks');
  }
  return value;
}

function checkFlowId(value: unknown, field: string): void {
  if (typeof value !== 'string' || !PRINTABLE_ASCII.test(value)) {
    throw new InvalidInputError(field, 'must be a non-empty string of printable ASCII without spaces');
  }
  if (value.length > MAX_ID_LENGTH) throw tooLong(field, MAX_ID_LENGTH);
}

/** Whether a value is a valid interview id. */
export function isInterviewId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_ID_LENGTH && PRINTABLE_ASCII.test(value);
}

/**
 * Incode's ids have 24 characters. Temporal refuses workflow ids above 1,000 bytes without naming the field, and a batch has thousands of
 * ids in one payload.
 */
const MAX_ID_LENGTH = 200;

/** Incode documents at most 256 characters. Proxies usually limit headers to 8 kB. */
const MAX_TOKEN_LENGTH = 16_384;

const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;

function tooLong(field: string, maxLength: number): InvalidInputError {
  return new InvalidInputError(field, `must have at most ${maxLength} characters`);
}

/** @throws InvalidInputError for anything but an object */
export function asObject(field: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInputError(field, 'must be an object');
  }
  return value as Record<string, unknown>;
}

/** @throws InvalidInputError naming the first unknown key */
export function onlyKeys(field: string, value: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      field === 'input' ? excerpt(unknown) : `${field}.${excerpt(unknown)}`,
      `is not known; known are ${known.join(', ')}`,
    );
  }
}

/** Drops `undefined` and `null`, which both mean the default. Some languages send `null` for an absent field. */
export function omitAbsent(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined && part !== null));
}

export function boolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidInputError(field, 'must be true or false');
  return value;
}

export function oneOf<T extends string>(field: string, value: unknown, choices: readonly T[]): T {
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw new InvalidInputError(field, `must be one of ${choices.join(', ')}`);
  return choice;
}

export function duration(field: string, value: unknown): number {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined)
    throw new InvalidInputError(field, 'must be a duration such as "15 minutes", "36h" or "7 days"');
  return ms;
}
