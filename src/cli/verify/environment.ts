import { isLoopback } from '../../network/loopback.js';
import { CliError } from '../shared/exit.js';

/** The value of `--yes` that accepts a run on an account that may not be a demo account. */
export const RISK = 'billable-sessions';

/** The demo host in Incode's documentation. */
const DEMO_HOST = 'demo-api.incodesmile.com';

/** What a report says about the base URL. It does not contain other host names, because they may name the account. */
export type EnvironmentKind = typeof DEMO_HOST | 'this machine' | 'another trial host' | 'another host';

export function kindOf(baseUrl: string): EnvironmentKind {
  const { hostname } = new URL(baseUrl);
  if (isLoopback(hostname)) return 'this machine';
  if (hostname === DEMO_HOST) return DEMO_HOST;
  return TRIAL_NAMES.test(hostname) ? 'another trial host' : 'another host';
}

/** Matches whole words of the host name, such as in `api.sandbox.example.com`. */
const TRIAL_NAMES = /(^|[.-])(demo|sandbox|staging|stage|test|dev|uat|qa)([.-]|$)/i;

/** @throws CliError if the base URL may be production and `--yes` does not accept the risk */
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
