import type { Fault, FaultKind } from './call-types.js';
import type { ScriptableOperation, ScriptedAnswer } from './capture/types.js';
import {
  anyText,
  type Check,
  check,
  count,
  duration,
  durationOrNever,
  finiteDuration,
  flag,
  headers,
  httpStatus,
  httpUrl,
  isObject,
  keyOf,
  oneOf,
  positive,
  text,
  textOrNull,
} from './check.js';
import type {
  RateLimit,
  RateLimits,
  SessionSpec,
  SessionWebhookTarget,
  SimulatedOperation,
  SimulatorOptions,
  WebhookTarget,
} from './types.js';

// The compiler does not check values from the control API or from JavaScript. With an unnoticed misspelled key, a test could pass
// without its fault.

const OPERATIONS: Record<SimulatedOperation, true> = {
  start: true,
  addFrontId: true,
  addBackId: true,
  processId: true,
  addFace: true,
  processFace: true,
  governmentValidation: true,
  watchlist: true,
  userConsent: true,
  mlConsent: true,
  addCustomFields: true,
  customFields: true,
  images: true,
  ocrData: true,
  isFinished: true,
  finishStatus: true,
  onboardingStatus: true,
  score: true,
  closeSession: true,
  logIn: true,
  approve: true,
  deleteSession: true,
  deleteSessions: true,
  searchSessions: true,
};

const SCRIPTABLE: Record<ScriptableOperation, true> = {
  addFrontId: true,
  addBackId: true,
  addFace: true,
  processId: true,
  processFace: true,
  governmentValidation: true,
  watchlist: true,
  ocrData: true,
};

const MATCH: Record<string, Check> = {
  operation: keyOf(OPERATIONS),
  interviewId: text,
  externalCustomerId: text,
  times: (value) => value === null || value === Number.POSITIVE_INFINITY || positive(value),
  skip: count,
};
const TIMING: Record<string, Check> = { effect: flag, effectAfterMs: duration };

/** The keys of each kind, in addition to those of `MATCH`. Keys with `!` are required. */
const KINDS: Record<FaultKind, Record<string, Check>> = {
  latency: { 'ms!': duration, effectAfterMs: duration },
  hang: TIMING,
  status: {
    ...TIMING,
    'status!': httpStatus,
    body: oneOf('json', 'html', 'empty'),
    headers,
    code: count,
    message: textOrNull,
  },
  reset: TIMING,
  truncated: TIMING,
  body: { ...TIMING, 'body!': anyText },
  huge: { ...TIMING, bytes: count },
  redirect: { ...TIMING, 'location!': text, status: oneOf(301, 302, 303, 307, 308) },
};

const SESSION: Record<string, Check> = {
  interviewId: text,
  action: anyText,
  score: (value) => isObject(value) && anyText(value.status) && anyText(value.value),
  scoreReadyAfterMs: durationOrNever,
  redirectionUrl: anyText,
  onboardingStatus: text,
  processedAfterMs: durationOrNever,
  expiresAfterMs: durationOrNever,
  externalCustomerId: anyText,
  flowId: anyText,
  manualReview: (value) =>
    isObject(value) && oneOf('APPROVED', 'REJECTED')(value.verdict) && finiteDuration(value.afterMs),
  tokenExpiresInMs: (value) => Number.isFinite(value),
};

const RATE_LIMIT: Record<string, Check> = {
  'perSecond!': (value) => typeof value === 'number' && value > 0,
  'burst!': (value) => typeof value === 'number' && value >= 1,
  retryAfter: flag,
};

const limitOrNone: Check = (value) => {
  if (value !== null) check('rateLimit', value, RATE_LIMIT);
  return true;
};

const RATE_LIMITS: Record<string, Check> = {
  documents: limitOrNone,
  faces: limitOrNone,
  others: limitOrNone,
  buckets: oneOf('class', 'endpoint'),
};

const SCRIPTED_ANSWER: Record<string, Check> = {
  ...MATCH,
  'operation!': keyOf(SCRIPTABLE),
  sha256: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  answer: isObject,
  omit: (value) => Array.isArray(value) && value.every(text),
  code: count,
  httpStatus,
  message: textOrNull,
};

const WEBHOOK: Record<string, Check> = {
  'url!': httpUrl,
  headers,
  oauth: (value) => isObject(value) && httpUrl(value.tokenUrl) && text(value.clientId) && anyText(value.clientSecret),
};

const SESSION_WEBHOOK: Record<string, Check> = {
  ...WEBHOOK,
  eventField: oneOf('event_type', 'eventType'),
  eventNames: oneOf('constants', 'words'),
};

const checkedElsewhere: Check = () => true;

const OPTIONS: Record<keyof SimulatorOptions, Check> = {
  port: (value) => count(value) && Number(value) <= 65_535,
  timeScale: (value) => Number.isFinite(value) && Number(value) > 0,
  latencyMs: finiteDuration,
  dataFile: text,
  behavior: checkedElsewhere,
  apiKeys: checkedElsewhere,
  rateLimit: checkedElsewhere,
  webhook: checkedElsewhere,
  sessionWebhook: checkedElsewhere,
};

/** @throws TypeError naming the invalid key, like all checks in this file */
export function checkFault(fault: unknown): asserts fault is Fault {
  const kind = isObject(fault) ? fault.kind : undefined;
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) {
    throw new TypeError(`fault.kind must be one of ${Object.keys(KINDS).join(', ')}`);
  }
  check('fault', fault, { ...MATCH, kind: text, ...KINDS[kind as FaultKind] });
}

export function checkSession(spec: unknown): asserts spec is SessionSpec {
  check('session', spec, SESSION);
}

export function checkRateLimit(limit: unknown): asserts limit is RateLimit | RateLimits {
  const isByClass = isObject(limit) && Object.keys(limit).some((key) => key in RATE_LIMITS);
  check('rateLimit', limit, isByClass ? RATE_LIMITS : RATE_LIMIT);
}

export function checkScriptedAnswer(answer: unknown): asserts answer is ScriptedAnswer {
  check('answer', answer, SCRIPTED_ANSWER);
}

export function checkWebhook(target: unknown): asserts target is WebhookTarget {
  check('webhook', target, WEBHOOK);
}

export function checkSessionWebhook(target: unknown): asserts target is SessionWebhookTarget {
  check('sessionWebhook', target, SESSION_WEBHOOK);
}

/** Checks the options that have no method of their own. */
export function checkOptions(options: unknown): void {
  check('options', options, OPTIONS);
}

export function checkApiKeys(keys: unknown): asserts keys is string[] {
  if (!Array.isArray(keys) || !keys.every(text)) throw new TypeError('API keys must be a list of strings');
}
