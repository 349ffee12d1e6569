import type { Result } from '../../src/cli/verify/check.js';
import { isFinished } from '../../src/contract/index.js';
import { correctOnboardingStatus } from '../../src/contract/milestones.js';
import { spelled } from '../../src/testing/simulator/behavior.js';
import type { IncodeSimulator, SimulatorBehavior } from '../../src/testing/simulator/index.js';
import { run, start } from './cli.js';

interface VerifyReport {
  package: string;
  environment: string;
  stopped: string | null;
  checks: Result[];
  sessions: { session: string; closed: boolean; deleted: boolean; problem: string | null }[];
  startsWithoutAnswer: number;
}

export const FLOW = 'flow-of-the-test';

export function environmentOf({ url, apiKey }: Pick<IncodeSimulator, 'url' | 'apiKey'>): Record<string, string> {
  return { INCODE_BASE_URL: url, INCODE_API_KEY: apiKey, INCODE_CONFIGURATION_ID: FLOW, INCODE_API_KEY_FILE: '' };
}

/** Runs `verify-incode` against the simulator, and parses its report. */
export async function verify(simulator: IncodeSimulator, args: string[] = [], env: Record<string, string> = {}) {
  const all = ['verify-incode', '--wait', '1s', '--json', ...args];
  const ran = await run(all, '', { ...environmentOf(simulator), ...env });
  const report = (ran.stdout === '' ? undefined : JSON.parse(ran.stdout)) as VerifyReport;
  return { ...ran, report };
}

export function startVerify(simulator: IncodeSimulator, args: string[] = []): ReturnType<typeof start> {
  return start(['verify-incode', '--wait', '1s', '--json', ...args], '', environmentOf(simulator));
}

/** The ids of the sessions that a run opened. */
export function openedIn(stderr: string): string[] {
  return [...stderr.matchAll(/^Opened session (\S+)$/gm)].map(([, id]) => String(id));
}

export type Expected = readonly [verdict: Result['verdict'], seen: string | RegExp];

/** The expected result of each check for a behavior of the simulator. */
export function expectedOf(behavior: SimulatorBehavior): Record<string, Expected> {
  const { requiredHeaders, apiKeyRefusal, tokenRefusal, errorBody, statusSpelling } = behavior;
  const refused = (status: number) => `refused, ${status}`;
  const foreign = ({ refused: ['as assumed', refused(tokenRefusal)], ignored: IGNORED, answered: OTHER } as const)[
    behavior.foreignId
  ];
  const header = (status: number, ...names: SimulatorBehavior['requiredHeaders']): Expected =>
    names.some((name) => requiredHeaders.includes(name))
      ? ['as assumed', refused(status)]
      : ['differs, safe', 'answered'];
  const finishOf = (part: 'emptyFinish' | 'closedFinish'): Expected =>
    behavior[part] === 'accepted' ? ['as assumed', '200, approved'] : ['differs, safe', refused(400)];
  const told = spelled('ONBOARDING_FINISHED', behavior);
  const isUnderstood = isFinished(correctOnboardingStatus(told));
  return {
    'finish-answer': ['as assumed', '200, approved'],
    'redirection-url':
      behavior.redirectionUrl === null ? ['as assumed', /^"https:"/] : ['differs, safe', /^"javascript:"/],
    'empty-finish': finishOf('emptyFinish'),
    'status-after-finish': isUnderstood ? ['as assumed', after(behavior.statusLagMs)] : ['unsafe', told],
    'score-after-finish': ['as assumed', after(behavior.scoreLagMs)],
    'second-finish': SECOND[behavior.secondFinish],
    'close-after-finish': ['as assumed', /^closed/],
    'closed-finish':
      behavior.emptyFinish === 'refused' ? ['could not be tried', /without documents/] : finishOf('closedFinish'),
    'expired-finish': ['could not be tried', 'needs --wait-for-expiry'],
    'process-id-twice':
      behavior.secondProcessId === 'accepted'
        ? ['differs, safe', 'accepted']
        : ['as assumed', refused(behavior.secondProcessIdStatus)],
    'status-by-id': ['as assumed', /unknown/i],
    'status-values': SPELLINGS[statusSpelling],
    'status-without-id':
      behavior.missingId === 'answered' ? ['as assumed', 'answered'] : ['differs, safe', refused(400)],
    'foreign-status': foreign,
    'foreign-score': foreign,
    'unknown-id': (
      {
        refused: ['as assumed', refused(tokenRefusal)],
        ignored: ['differs, configure', 'answered'],
        answered: ['as assumed', refused(404)],
      } as const
    )[behavior.foreignId],
    'executive-read': ['could not be tried', 'no executive token was given'],
    'executive-score': ['could not be tried', 'no executive token was given'],
    'token-form': behavior.tokenForm === 'opaque' ? ['differs, safe', 'no JWT'] : ['as assumed', 'JWT with exp'],
    'token-names-session':
      behavior.tokenForm === 'namesInterview'
        ? ['as assumed', 'the claim names the session']
        : [behavior.foreignId === 'refused' ? 'differs, safe' : 'differs, configure', 'no such claim'],
    reissue: (
      {
        reissued: ['as assumed', /^same session/],
        newSession: ['differs, configure', 'a new session'],
        refused: ['differs, configure', '400'],
      } as const
    )[behavior.knownIdStart],
    'earlier-token':
      behavior.knownIdStart !== 'reissued'
        ? ['could not be tried', 'no fresh token']
        : behavior.earlierTokens === 'valid'
          ? ['as assumed', 'valid']
          : ['differs, safe', refused(tokenRefusal)],
    'unknown-start':
      behavior.unknownIdStart === 'refused' ? ['as assumed', refused(404)] : ['differs, safe', 'a new session'],
    'header-x-api-key': header(apiKeyRefusal, 'x-api-key'),
    'header-x-incode-hardware-id': ['as assumed', refused(tokenRefusal)],
    'header-api-version': header(400, 'api-version'),
    'header-content-type': header(400, 'content-type'),
    'post-header-x-api-key': header(apiKeyRefusal, 'x-api-key'),
    'post-header-x-incode-hardware-id': ['as assumed', refused(tokenRefusal)],
    'post-header-api-version': header(400, 'api-version'),
    'post-header-content-type': header(400, 'content-type', 'content-type-of-body'),
    'wrong-api-key': [apiKeyRefusal === 403 ? 'as assumed' : 'differs, safe', String(apiKeyRefusal)],
    'wrong-token': [tokenRefusal === 401 ? 'as assumed' : 'differs, safe', String(tokenRefusal)],
    'error-bodies': errorBody === 'json' ? ['as assumed', /JSON$/] : ['differs, safe', BODIES[errorBody]],
    date: behavior.dateHeader ? ['as assumed', 'present'] : ['differs, safe', 'absent'],
    'rate-limit': ['could not be tried', 'needs --try-rate-limit'],
    'webhook-after-finish': ['could not be tried', 'needs --public-url'],
    'webhook-fields': ['could not be tried', 'needs --public-url'],
    'webhook-repeated': ['could not be tried', 'needs --public-url'],
  };
}

const IGNORED = ['differs, configure', 'answered for the session of the token'] as const;
const OTHER = ['unsafe', 'answered for the other session'] as const;

const SECOND: Record<SimulatorBehavior['secondFinish'], Expected> = {
  repeated: ['as assumed', '200, approved again'],
  idempotent: ['as assumed', '200, approved again'],
  refused: ['differs, safe', 'refused, 400'],
  otherAction: ['differs, configure', 'approved, then rejected'],
};

const SPELLINGS: Record<SimulatorBehavior['statusSpelling'], Expected> = {
  documented: ['as assumed', 'UNKNOWN, ONBOARDING_FINISHED'],
  lowerCase: ['differs, safe', 'unknown, onboarding_finished'],
  trailingSpace: ['differs, safe', '"UNKNOWN ", "ONBOARDING_FINISHED "'],
  misspelled: ['differs, safe', 'ONBOADING_FINISHED'],
  newValue: ['differs, safe', 'ONBOARDING_CONCLUDED'],
};

const BODIES = { html: /not JSON/, empty: /empty/ };

/** A measured delay that is not shorter than the lag. */
function after(lagMs: number): RegExp {
  return lagMs === 0 ? /after \d/ : /after (0\.[5-9]|[1-9])/;
}
