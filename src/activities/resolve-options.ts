import { ACTIVITY_DEFAULTS, type ActivityOptions, type ResolvedActivityOptions } from './options.js';
import { guardedExecutive, guardedTokenSource } from './token-source.js';

/** Fills in the defaults, and guards what the host provides. */
export function resolveOptions(options: ActivityOptions): ResolvedActivityOptions {
  const resolved = { ...ACTIVITY_DEFAULTS, ...options };
  const { tokenSource, executive, tokenTimeoutMs } = resolved;
  return {
    ...resolved,
    ...(tokenSource ? { tokenSource: guardedTokenSource(tokenSource, tokenTimeoutMs) } : {}),
    ...(executive ? { executive: guardedExecutive(executive) } : {}),
  };
}
