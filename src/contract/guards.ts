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

export const PLAN_DEFAULTS = {
  finishWhen: 'now',
  captureDeadline: '7 days',
  close: false,
  score: true,
  scoreDeadline: '15 minutes',
  review: 'report',
  reviewDeadline: '30 days',
} as const satisfies Required<Plan>;

/** Thrown by the guards. `field` is a path such as `plan.scoreDeadline`; the message never repeats a secret. */
export class InvalidInputError extends TemporalIncodeError {
  override readonly name = 'InvalidInputError';
  readonly field: string;

  constructor(field: string, expected: string) {
    super(`${field} ${expected}`);
    this.field = field;
  }
}

/**
 * Checks what a caller in any language sent, and returns it.
 *
 * @throws InvalidInputError naming the first wrong field. An unknown key is wrong too: a misspelt one would otherwise be
 * ignored in silence.
 */
export function checkOnboardingInput(value: unknown): OnboardingInput {
  const input = withoutAbsent(record('input', value));
  onlyKeys('input', input, ['interviewId', 'sessionToken', 'flowId', 'plan', 'verifyFirst']);
  checkSession(input);
  if (input.verifyFirst !== undefined) checkVerifyFirst(input.verifyFirst);
  resolvePlan(input.plan);
  return input as unknown as OnboardingInput;
}

/**
 * @param within goes before the names of fields, such as `sessions[3].`
 * @throws InvalidInputError
 */
export function checkSession({ interviewId, sessionToken, flowId }: Record<string, unknown>, within = ''): void {
  checkInterviewId(interviewId, `${within}interviewId`);
  if (sessionToken !== undefined) checkSessionToken(sessionToken, `${within}sessionToken`);
  if (flowId !== undefined) checkFlowId(flowId, `${within}flowId`);
}

/** @throws InvalidInputError */
export function checkRenewTokenInput(value: unknown): RenewTokenInput {
  const input = record('renewToken', value);
  onlyKeys('renewToken', input, ['sessionToken']);
  return { sessionToken: checkSessionToken(input.sessionToken) };
}

/**
 * @returns how much to extend the deadline by, in milliseconds
 * @throws InvalidInputError
 */
export function checkExtendDeadlineInput(value: unknown): number {
  const input = record('extendDeadline', value);
  onlyKeys('extendDeadline', input, ['by']);
  return duration('extendDeadline.by', input.by);
}

/**
 * Reads what a status webhook says. A signal cannot be refused, so what makes no sense is passed over.
 *
 * @returns `undefined` for what is no status of this session
 */
export function heardStatus(value: unknown, interviewId: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  if (given.interviewId !== undefined && given.interviewId !== interviewId) return undefined;
  if (typeof given.onboardingStatus !== 'string') return undefined;
  const onboardingStatus = correctOnboardingStatus(given.onboardingStatus);
  // Incode's have at most 32 characters. The workflow keeps what it hears.
  return /^[A-Z0-9_]{1,64}$/.test(onboardingStatus) ? onboardingStatus : undefined;
}

/** @throws InvalidInputError */
export function resolvePlan(value: unknown): ResolvedPlan {
  const plan: Record<string, unknown> = {
    ...PLAN_DEFAULTS,
    ...withoutAbsent(value === undefined ? {} : record('plan', value)),
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

/** @returns the plan with every default filled in, as durations in words */
export function planWithDefaults(plan: Plan | null | undefined): Required<Plan> {
  return { ...PLAN_DEFAULTS, ...withoutAbsent({ ...plan }) };
}

/**
 * An action that was lost on the way cannot decide, so the score is read even if the plan does without. The score of a session that
 * may not be finished decides nothing.
 */
export function needsScore(plan: Pick<ResolvedPlan, 'score'>, finish: FinishAnswer): boolean {
  return finish.confirmedBy !== 'unconfirmed' && (plan.score || finish.action === null);
}

/** @throws InvalidInputError */
export function checkVerifyFirst(value: unknown): VerifyFirst | boolean {
  return typeof value === 'boolean' ? value : oneOf('verifyFirst', value, VERIFY_FIRST);
}

/**
 * An interview id travels in a URL query and names the workflow. Incode's are hexadecimal; anything printable without
 * white space is let through, because their form is not documented.
 *
 * @throws InvalidInputError
 */
export function checkInterviewId(value: unknown, field = 'interviewId'): string {
  if (typeof value !== 'string' || value === '') throw new InvalidInputError(field, 'must be a non-empty string');
  // Temporal refuses workflow ids above 1,000 bytes with a message that names no field; Incode's have 24 characters.
  if (value.length > 200) throw new InvalidInputError(field, 'must have at most 200 characters');
  if (!PRINTABLE_ASCII.test(value)) throw new InvalidInputError(field, 'must be printable ASCII without spaces');
  return value;
}

/**
 * A session token is sent as the header `X-Incode-Hardware-Id`: a line break in it would inject a header.
 *
 * @throws InvalidInputError that does not contain the token
 */
export function checkSessionToken(value: unknown, field = 'sessionToken'): string {
  if (typeof value !== 'string' || value === '') {
    throw new InvalidInputError(field, 'must be a non-empty string');
  }
  // Incode says at most 256 characters. Twice the usual header limit of proxies is still refused early.
  if (value.length > 16_384) throw new InvalidInputError(field, 'must have at most 16,384 characters');
  if (!PRINTABLE_ASCII.test(value)) {
    throw new InvalidInputError(field, 'must be printable ASCII without spaces or line breaks');
  }
  return value;
}

function checkFlowId(value: unknown, field: string): void {
  if (typeof value !== 'string' || !PRINTABLE_ASCII.test(value)) {
    throw new InvalidInputError(field, 'must be a non-empty string of printable ASCII without spaces');
  }
  // Incode's have 24 characters; a batch has thousands of them in one payload.
  if (value.length > 200) throw new InvalidInputError(field, 'must have at most 200 characters');
}

const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;

export function record(field: string, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidInputError(field, 'must be an object');
  }
  return value as Record<string, unknown>;
}

export function onlyKeys(field: string, value: Record<string, unknown>, known: readonly string[]): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      field === 'input' ? excerpt(unknown) : `${field}.${excerpt(unknown)}`,
      `is not known; known are ${known.join(', ')}`,
    );
  }
}

/** `undefined` means the default, as in every options object, and so does the `null` of languages that send one. */
export function withoutAbsent(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined && part !== null));
}

function boolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw new InvalidInputError(field, 'must be true or false');
  return value;
}

function oneOf<T extends string>(field: string, value: unknown, choices: readonly T[]): T {
  const choice = choices.find((known) => known === value);
  if (choice === undefined) throw new InvalidInputError(field, `must be one of ${choices.join(', ')}`);
  return choice;
}

function duration(field: string, value: unknown): number {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  if (ms === undefined)
    throw new InvalidInputError(field, 'must be a duration such as "15 minutes", "36h" or "7 days"');
  return ms;
}

const UNITS = new Map([
  ...units(1, 'ms', 'msec', 'msecs', 'millisecond', 'milliseconds'),
  ...units(1_000, 's', 'sec', 'secs', 'second', 'seconds'),
  ...units(60_000, 'm', 'min', 'mins', 'minute', 'minutes'),
  ...units(3_600_000, 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...units(86_400_000, 'd', 'day', 'days'),
  ...units(604_800_000, 'w', 'week', 'weeks'),
]);

function units(ms: number, ...names: string[]): [string, number][] {
  return names.map((name) => [name, ms]);
}

/** Ten years: far beyond any onboarding, and still a safe timer for Temporal. */
export const MAX_DURATION_MS = 3_650 * 86_400_000;

/**
 * The duration strings of Temporal's TypeScript SDK from milliseconds to weeks. Written here because the contract
 * imports nothing, and because `ms` reads `"7 dys"` as undefined only at run time.
 *
 * @returns milliseconds, or `undefined` for what is not a positive duration
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  if (!match?.[1] || !match[2]) return undefined;
  const unit = UNITS.get(match[2].toLowerCase());
  if (unit === undefined) return undefined;
  const ms = Math.round(Number(match[1]) * unit);
  return ms > 0 && ms <= MAX_DURATION_MS ? ms : undefined;
}
