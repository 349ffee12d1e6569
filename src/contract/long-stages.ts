import type { CaptureStage } from './capture-workflow.js';
import type { Stage } from './types.js';

/** Stages that may last for days. Only these are published as a search attribute, because every upsert is billed. */
export const LONG_STAGES = ['waiting', 'needsToken', 'inReview'] as const satisfies Stage[];

/** The same for people from images. */
export const LONG_CAPTURE_STAGES = ['needsImage', 'needsToken'] as const satisfies CaptureStage[];
