import type { RequiredHeader, SimulatorBehavior } from './behavior.js';
import { anyText, type Check, check, finiteDuration, flag, keyOf, oneOf, positive, text } from './check.js';

const REQUIRED_HEADERS: Record<RequiredHeader, true> = {
  'x-api-key': true,
  'api-version': true,
  'content-type': true,
  'content-type-of-body': true,
};

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
  customFieldKeys: (value) => value === null || (Array.isArray(value) && value.every(text)),
  maxRequestBytes: positive,
  smallImage: oneOf('error', 'failReason', 'accepted'),
  unknownFormat: oneOf('accepted', 'refused'),
  dataUrl: oneOf('refused', 'accepted'),
  binaryUpload: oneOf('accepted', 'refused'),
  selfieWithoutType: oneOf('accepted', 'refused'),
  backBeforeFront: oneOf('refused', 'accepted'),
  uploadAfterFinish: oneOf('accepted', 'refused'),
  maxUploads: (value) => value === null || positive(value),
  imageErrorStatus: oneOf(400, 422, 500),
  consents: oneOf('optional', 'required'),
  secondProcessId: oneOf('refused', 'parseError', 'accepted'),
  secondProcessIdStatus: oneOf(400, 409, 500),
  newUploads: oneOf('frontAndBack', 'any'),
  secondWatchlist: oneOf('accepted', 'refused'),
  earlyScore: oneOf('sections', 'overall'),
  searchFilter: oneOf('applied', 'ignored', 'refused'),
  secondDelete: oneOf('unknown', 'accepted'),
  requiredHeaders: (value) => Array.isArray(value) && value.every(keyOf(REQUIRED_HEADERS)),
  apiKeyRefusal: oneOf(401, 403),
  tokenRefusal: oneOf(401, 403),
  errorBody: oneOf('json', 'html', 'empty'),
  dateHeader: flag,
};

/** @throws TypeError naming the invalid part */
export function checkBehavior(behavior: unknown): asserts behavior is Partial<SimulatorBehavior> {
  check('behavior', behavior, BEHAVIOR);
}
