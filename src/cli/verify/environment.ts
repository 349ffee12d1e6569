import { isLoopback } from '../../secrets/index.js';
import { CliError } from '../shared/exit.js';

/** The word that accepts what a run does to an account that is not for trials. */
export const RISK = 'billable-sessions';

/** Where Incode's documentation sends its readers for trials. */
const DEMO_HOST = 'demo-api.incodesmile.com';

/** What a report says of the base URL. Other hosts may name the account. */
export type EnvironmentKind = typeof DEMO_HOST | 'this machine' | 'another trial host' | 'another host';

export function kindOf(baseUrl: string): EnvironmentKind {
  const { hostname } = new URL(baseUrl);
  if (isLoopback(hostname)) return 'this machine';
  if (hostname === DEMO_HOST) return DEMO_HOST;
  return TRIAL_NAMES.test(hostname) ? 'another trial host' : 'another host';
}

/** As a word of the host name, such as in `api.sandbox.example.com`. */
const TRIAL_NAMES = /(^|[.-])(demo|sandbox|staging|stage|test|dev|uat|qa)([.-]|$)/i;

/** @throws CliError if the base URL looks like production and nobody has accepted the risk */
export function checkEnvironment(kind: EnvironmentKind, accepted: string | undefined): void {
  if (accepted !== undefined && accepted !== RISK) {
    throw new CliError(`--yes must be the word that names the risk: --yes ${RISK}`);
  }
  if (kind !== 'another host' || accepted === RISK) return;
  throw new CliError(
    'INCODE_BASE_URL does not look like a demo environment. Each session of this run appears on its dashboard, may be billed, and ' +
      `sends its webhooks. Nothing was sent. Use a demo environment, or accept this with --yes ${RISK}`,
  );
}
