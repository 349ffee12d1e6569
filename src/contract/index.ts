export * from './batch.js';
export { TemporalIncodeError } from './errors.js';
export {
  checkExtendDeadlineInput,
  checkInterviewId,
  checkOnboardingInput,
  checkRenewTokenInput,
  checkSessionToken,
  heardStatus,
  InvalidInputError,
  MAX_DURATION_MS,
  needsScore,
  PLAN_DEFAULTS,
  parseDuration,
  planWithDefaults,
  type ResolvedPlan,
  resolvePlan,
} from './guards.js';
export * from './milestones.js';
export * from './names.js';
export * from './token-claims.js';
export * from './types.js';
export * from './verify-first.js';
