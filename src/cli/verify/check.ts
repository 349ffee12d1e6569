import { omitUndefined } from '../../contract/omit-undefined.js';
import type { Observations } from './observations.js';

export type Verdict = 'as assumed' | 'differs, safe' | 'differs, configure' | 'unsafe' | 'could not be tried';

/** Source of the assumption: Incode's documentation (D), code that Incode publishes (O), inference (I), unknown (U). */
export type Evidence = 'D' | 'O' | 'I' | 'U';

export interface Judgment {
  /** What Incode did, in a few words. */
  seen: string;
  verdict: Verdict;
  /** What to configure, or the consequence. If all is as assumed, a setting that is possible because of it. */
  advice?: string;
}

/** Settings that a judgment depends on. */
export interface Settings {
  settleTimeMs: number;
  refusesForeignIds: boolean;
  /** Whether workers with this environment have an executive token. */
  hasExecutive: boolean;
}

/** One assumption about Incode that this package rests on. */
export interface Check {
  /** Stable, because reports are compared by it. */
  id: string;
  assumption: string;
  why: string;
  evidence: Evidence;
  tried: string;
  /** The observations that the judgment needs. */
  needs: readonly (keyof Observations)[];
  judge(seen: Observations, settings: Settings): Judgment;
}

export interface Result extends Omit<Check, 'needs' | 'judge'>, Judgment {}

/** @param whyNot why an observation is missing */
export function resultOf(
  { needs, judge, ...check }: Check,
  seen: Partial<Observations>,
  settings: Settings,
  whyNot: (missing: keyof Observations) => string,
): Result {
  const missing = needs.find((name) => seen[name] === undefined);
  if (missing !== undefined) return { ...check, seen: whyNot(missing), verdict: 'could not be tried' };
  return { ...check, ...judge(seen as Observations, settings) };
}

export function asAssumed(seen: string, advice?: string): Judgment {
  return { seen, verdict: 'as assumed', ...omitUndefined({ advice }) };
}

export function safe(seen: string, advice: string): Required<Judgment> {
  return { seen, verdict: 'differs, safe', advice };
}

export function configure(seen: string, advice: string): Required<Judgment> {
  return { seen, verdict: 'differs, configure', advice };
}

export function unsafe(seen: string, advice: string): Required<Judgment> {
  return { seen, verdict: 'unsafe', advice };
}

export function notTried(seen: string): Judgment {
  return { seen, verdict: 'could not be tried' };
}
