import { CliError } from '../shared/exit.js';
import { type Check, check } from './check.js';

/** Longer than the two seconds that the receiver waits for Temporal. */
const TIMEOUT_MS = 5_000;

export async function webhookChecks(url: string | undefined): Promise<Check[]> {
  if (url === undefined) return [];
  return [await check('webhook receiver', () => readiness(url))];
}

async function readiness(url: string): Promise<Omit<Check, 'name'>> {
  const status = await statusOf(`${url.replace(/\/+$/, '')}/readyz`);
  switch (status) {
    case undefined:
      return { status: 'failed', message: 'does not answer', todo: 'Start it: temporal-incode webhooks' };
    case 200:
      return { status: 'ok', message: 'is ready' };
    case 503:
      return { status: 'failed', message: 'runs, but does not reach Temporal', todo: 'Check its TEMPORAL_ADDRESS' };
    default:
      return {
        status: 'failed',
        message: `answered ${status}, so this may not be the receiver`,
        todo: 'Check --webhook-url',
      };
  }
}

async function statusOf(url: string): Promise<number | undefined> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' })).status;
  } catch {
    return undefined;
  }
}

/** A parser for the receiver's address. Errors do not show the value, because it may contain credentials. */
export function receiverUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '') {
    throw new CliError('--webhook-url must be an http or https URL without credentials or query');
  }
  return value;
}
