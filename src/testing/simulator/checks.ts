import type { RequiredHeader, SimulatorBehavior } from './behavior.js';
import type {
  Fault,
  FaultKind,
  RateLimit,
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
  ocrData: true,
  isFinished: true,
  finishStatus: true,
  onboardingStatus: true,
  score: true,
  closeSession: true,
  logIn: true,
  approve: true,
  deleteSession: true,
};

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value !== '';
const anyText: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const duration: Check = (value) => typeof value === 'number' && value >= 0;
const finiteDuration: Check = (value) => Number.isFinite(value) && Number(value) >= 0;
const durationOrNever: Check = (value) => value === null || duration(value);
const count: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
const headers: Check = (value) => isObject(value) && Object.values(value).every(anyText);
const httpUrl: Check = (value) => typeof value === 'string' && /^https?:\/\//.test(value) && URL.canParse(value);

const MATCH: Record<string, Check> = {
  kind: text,
  operation: (value) => typeof value === 'string' && Object.hasOwn(OPERATIONS, value),
  interviewId: text,
  times: (value) => value === null || value === Number.POSITIVE_INFINITY || (count(value) && value !== 0),
  skip: count,
};
const TIMING: Record<string, Check> = { effect: flag, effectAfterMs: duration };

/** The keys of each kind, in addition to those of `MATCH`. Keys with `!` are required. */
const KINDS: Record<FaultKind, Record<string, Check>> = {
  latency: { 'ms!': duration, effectAfterMs: duration },
  hang: TIMING,
  status: {
    ...TIMING,
    'status!': (value) => count(value) && Number(value) >= 200 && Number(value) <= 599,
    body: oneOf('json', 'html', 'empty'),
    headers,
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

const REQUIRED_HEADERS: Record<RequiredHeader, true> = { 'x-api-key': true, 'api-version': true, 'content-type': true };

const BEHAVIOR: Record<keyof SimulatorBehavior, Check> = {
  foreignId: oneOf('refused', 'ignored', 'answered'),
  missingId: oneOf('answered', 'refused'),
  secondFinish: oneOf('repeated', 'idempotent', 'refused', 'otherAction'),
  closedFinish: oneOf('accepted', 'refused'),
  expiredFinish: oneOf('accepted', 'refused'),
  emptyFinish: oneOf('accepted', 'refused'),
  statusSpelling: oneOf('documented', 'lowerCase', 'trailingSpace', 'misspelled', 'newValue'),
  statusLagMs: finiteDuration,
  scoreLagMs: finiteDuration,
  redirectionUrl: (value) => value === null || anyText(value),
  knownIdStart: oneOf('reissued', 'newSession', 'refused'),
  unknownIdStart: oneOf('refused', 'newSession'),
  earlierTokens: oneOf('valid', 'revoked'),
  tokenForm: oneOf('namesInterview', 'anonymous', 'opaque'),
  secondProcessId: oneOf('accepted', 'refused'),
  requiredHeaders: (value) => Array.isArray(value) && value.every((name) => Object.hasOwn(REQUIRED_HEADERS, name)),
  apiKeyRefusal: oneOf(401, 403),
  tokenRefusal: oneOf(401, 403),
  errorBody: oneOf('json', 'html', 'empty'),
  dateHeader: flag,
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
  check('fault', fault, { ...MATCH, ...KINDS[kind as FaultKind] });
}

export function checkSession(spec: unknown): asserts spec is SessionSpec {
  check('session', spec, SESSION);
}

export function checkRateLimit(limit: unknown): asserts limit is RateLimit {
  check('rateLimit', limit, RATE_LIMIT);
}

export function checkWebhook(target: unknown): asserts target is WebhookTarget {
  check('webhook', target, WEBHOOK);
}

export function checkSessionWebhook(target: unknown): asserts target is SessionWebhookTarget {
  check('sessionWebhook', target, SESSION_WEBHOOK);
}

export function checkBehavior(behavior: unknown): asserts behavior is Partial<SimulatorBehavior> {
  check('behavior', behavior, BEHAVIOR);
}

/** Checks the options that have no method of their own. */
export function checkOptions(options: unknown): void {
  check('options', options, OPTIONS);
}

export function checkApiKeys(keys: unknown): asserts keys is string[] {
  if (!Array.isArray(keys) || !keys.every(text)) throw new TypeError('API keys must be a list of strings');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function check(what: string, value: unknown, keys: Record<string, Check>): void {
  if (!isObject(value)) throw new TypeError(`${what} must be an object`);
  for (const [key, valid] of Object.entries(keys)) {
    const name = key.replace('!', '');
    const part = value[name];
    if (part === undefined ? key.endsWith('!') : !valid(part)) {
      throw new TypeError(`${what}.${name} is ${part === undefined ? 'missing' : 'invalid'}`);
    }
  }
  const unknown = Object.keys(value).find((name) => !(name in keys) && !(`${name}!` in keys));
  if (unknown !== undefined) {
    const known = Object.keys(keys).map((key) => key.replace('!', ''));
    throw new TypeError(`${what}.${unknown} is unknown; known are ${known.join(', ')}`);
  }
}
