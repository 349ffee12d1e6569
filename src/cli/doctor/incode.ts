import { ConfigError, isIncodeConfigured, readIncodeConfig } from '../../config/index.js';
import { createIncodeClient, IncodeError, statusByExecutive } from '../../incode/index.js';
import { executiveToken } from '../../worker/executive.js';
import type { Check } from './check.js';

/** Not a real session, and an invalid token, so the request can neither change nor reveal anything. */
const NOBODY = { interviewId: 'temporal-incode-doctor', sessionToken: 'none' };

/**
 * Sends a status read that cannot succeed, with the worker's configuration. The refusal shows whether the key is accepted: Incode
 * documents 403 for the key and 401 for the token. It does not document that it checks the key first.
 */
export async function incodeChecks(): Promise<Check[]> {
  if (!isIncodeConfigured()) {
    const message = 'INCODE_BASE_URL and INCODE_API_KEY, or INCODE_API_KEY_FILE, are not set here';
    const todo = "Run the doctor in a worker's environment to check them";
    return [
      { name: 'Incode', status: 'skipped', message, todo },
      { name: 'clock', status: 'skipped', message: "needs Incode's answer" },
      { name: 'executive token', status: 'skipped', message: 'needs the configuration for Incode' },
    ];
  }
  let config: ReturnType<typeof readIncodeConfig>;
  try {
    config = readIncodeConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      { name: 'Incode', status: 'failed', message: error.problems.join('; '), todo: 'Correct it: docs/worker.md' },
      { name: 'clock', status: 'skipped', message: "needs Incode's answer" },
      { name: 'executive token', status: 'skipped', message: 'needs the configuration for Incode' },
    ];
  }
  const refusal = await refusalOf(config);
  return [
    { name: 'Incode', ...incode(refusal) },
    { name: 'clock', ...clock(refusal) },
    { name: 'executive token', ...(await executive(config)) },
  ];
}

type Found = Omit<Check, 'name'>;

/** @returns `undefined` if Incode accepted the read, which should be impossible */
async function refusalOf(config: ReturnType<typeof readIncodeConfig>): Promise<IncodeError | undefined> {
  const client = createIncodeClient(config);
  try {
    await client.onboardingStatus(NOBODY);
    return undefined;
  } catch (error) {
    if (error instanceof IncodeError) return error;
    throw error;
  } finally {
    await client.close();
  }
}

/** Logs in, where that is configured, and asks for a session that does not exist: 404 says that the token is accepted. */
async function executive(config: ReturnType<typeof readIncodeConfig>): Promise<Found> {
  const client = createIncodeClient(config);
  try {
    const token = executiveToken(config, client);
    if (!token) {
      const message = 'is not configured: no finish is confirmed by id';
      return { status: 'skipped', message, todo: 'To confirm each finish, set one: docs/worker.md' };
    }
    await statusByExecutive(client, token, NOBODY.interviewId, AbortSignal.timeout(2 * config.timeoutMs));
    return { status: 'ok', message: 'is accepted' };
  } catch (error) {
    if (!(error instanceof IncodeError)) throw error;
    const { kind, message } = error;
    if (kind === 'unknownSession' || kind === 'badRequest') return { status: 'ok', message: 'is accepted' };
    if (kind !== 'misconfigured') return { status: 'warning', message, todo: 'Try again later' };
    const todo = 'Correct INCODE_EXECUTIVE_EMAIL and the password, or the token: docs/worker.md#the-executive-token';
    return { status: 'failed', message, todo };
  } finally {
    await client.close();
  }
}

const CHECK_URL = 'Check INCODE_BASE_URL and the proxy';

function incode(refusal: IncodeError | undefined): Found {
  if (!refusal)
    return {
      status: 'warning',
      message: 'answers a status read with an invalid token, so this may not be Incode',
      todo: CHECK_URL,
    };
  const { kind, httpStatus } = refusal;
  if (httpStatus === undefined) return { status: 'failed', message: refusal.message, todo: CHECK_URL };
  const answered = `answered ${httpStatus}`;
  switch (kind) {
    case 'tokenRefused':
      return { status: 'ok', message: 'answers, and does not refuse the API key' };
    case 'apiKeyRefused':
      return {
        status: 'failed',
        message: `${answered}: the API key is not accepted`,
        todo: "Write this environment's key into the workers' INCODE_API_KEY_FILE; or set INCODE_API_KEY, and restart them",
      };
    case 'misconfigured':
      return { status: 'failed', message: `${answered}: a redirect, or the proxy's refusal`, todo: CHECK_URL };
    case 'badRequest':
    case 'unknownSession':
    case 'methodNotAllowed':
    case 'notAcceptable':
      return {
        status: 'warning',
        message: `${answered}, where 401 was expected: the API key is not refused, but the address may be wrong`,
        todo: CHECK_URL,
      };
    case 'resultUnknown':
      if (httpStatus >= 500) break;
      return { status: 'failed', message: `${answered}, but not in Incode's format`, todo: CHECK_URL };
    case 'notTaken':
    case 'maybeRunning':
      break;
    default:
      kind satisfies never;
  }
  return {
    status: 'warning',
    message: `${answered}: Incode is reachable, but cannot answer now`,
    todo: 'Try again later',
  };
}

/** A larger difference matters, because this machine's clock decides whether a token has expired. */
const MAX_SKEW_MS = 10_000;

function clock(refusal: IncodeError | undefined): Found {
  const { answeredAt } = refusal ?? {};
  if (!answeredAt) return { status: 'skipped', message: "needs Incode's answer" };
  const skewMs = Date.now() - answeredAt.getTime();
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return { status: 'ok', message: "agrees with Incode's" };
  return {
    status: 'warning',
    message: `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} Incode's: expired tokens may count as valid, or valid ones as expired`,
    todo: "Set this machine's clock, for example with NTP",
  };
}
