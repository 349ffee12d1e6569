export * from './guards.js';
export * from './names.js';
export * from './onboarding-status.js';
export * from './types.js';
