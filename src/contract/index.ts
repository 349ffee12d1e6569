export * from './guards.js';
export * from './milestones.js';
export * from './names.js';
export * from './types.js';
