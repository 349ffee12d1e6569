import type { Stage } from './types.js';

/** Stages that may last for days. Only these are published as a search attribute, because every upsert is billed. */
export const LONG_STAGES = ['waiting', 'needsToken', 'inReview'] as const satisfies Stage[];
