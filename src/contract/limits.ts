import type { Stage } from './types.js';

// The backoff of calls to Incode, in single sessions and in batches.
export const MIN_BACKOFF_MS = 1_000;
export const BACKOFF_COEFFICIENT = 2;
export const MAX_BACKOFF_MS = 120_000;

/** Stages that may last for days. The search attribute shows only these, because every upsert is billed. */
export const LONG_STAGES = ['waiting', 'needsToken', 'inReview'] as const satisfies readonly Stage[];
