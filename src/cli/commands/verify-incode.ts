import { type Command, Option } from 'commander';
import { readVerifyConfig } from '../../config/index.js';
import { createIncodeClient, IncodeError } from '../../incode/index.js';
import { keepSecret } from '../../secrets/index.js';
import { executiveToken } from '../../worker/executive.js';
import { CliError, configured, EXIT, started } from '../shared/exit.js';
import { durationOption, portOption, timeoutOption } from '../shared/options.js';
import { printNotice } from '../shared/output.js';
import { readSessionToken } from '../shared/session-token.js';
import { untilInterrupted } from '../shared/signals.js';
import { packageVersion } from '../shared/version.js';
import { resultOf } from '../verify/check.js';
import { CHECKS } from '../verify/checks/index.js';
import { checkEnvironment, kindOf, RISK } from '../verify/environment.js';
import { OwnSessions } from '../verify/own-sessions.js';
import { createProbe, NoReply } from '../verify/probe.js';
import { isCleanedUp, printAsJson, printAsTable, printWhatIsLeft, type Report } from '../verify/report.js';
import { CannotStart, runTrial, sessionCounts } from '../verify/run.js';
import { STOPPED, type Trial } from '../verify/trials/trial.js';
import { startWebhookListener } from '../verify/webhook-listener.js';

interface VerifyOptions {
  configurationId?: string;
  executiveTokenFile?: string;
  publicUrl?: string;
  webhookPort: number;
  tryRateLimit: boolean;
  waitForExpiry?: number;
  wait: number;
  timeout: number;
  yes?: string;
  json: boolean;
}

export function define(command: Command): void {
  command
    .option('--configuration-id <id>', 'flow of the sessions (default: INCODE_CONFIGURATION_ID)')
    .option(
      '--executive-token-file <file>',
      'file with an executive token: tries it, and deletes the sessions at the end; without it, the executive token of workers is tried',
    )
    .option(
      '--public-url <url>',
      "the webhook URL on Incode's dashboard, which leads to --webhook-port on this machine",
    )
    .option('--webhook-port <port>', 'port on 127.0.0.1 for webhooks', portOption('--webhook-port'), 8089)
    .option('--try-rate-limit', 'send up to 200 reads to meet the rate limit', false)
    .option(
      '--wait-for-expiry <duration>',
      'how long to wait for a session to expire',
      durationOption('--wait-for-expiry'),
    )
    .addOption(waitOption())
    .addOption(timeoutOption('end the whole run after this time, and clean up', '10 minutes'))
    .option('--yes <risk>', `${RISK}: run against a base URL that does not look like a demo environment`)
    .option('--json', 'print the result as JSON for an issue report', false)
    .addHelpText(
      'after',
      `
Tries on your account each assumption about Incode that this package rests on, and prints what Incode did, whether the package is
safe under it, and what to configure. Use a demo account. It opens sessions of its own with the flow that you name, finishes some
of them, uploads a blank picture to one, and closes them all at the end. It touches no other session.
INCODE_BASE_URL and INCODE_API_KEY, or INCODE_API_KEY_FILE, and the executive user or token, as for a worker.
Exits with 0 if nothing is unsafe; with 1 if something is unsafe, a session is left over, or --timeout is over; with 2 if it could
not run. See docs/verify-incode.md

Examples:
  $ temporal-incode verify-incode --configuration-id 5f3a…
  $ temporal-incode verify-incode --configuration-id 5f3a… --json > report.json
  $ temporal-incode verify-incode --configuration-id 5f3a… \\
      --public-url https://tunnel.example/ --webhook-port 8089`,
    )
    .action(verify);
}

function waitOption(): Option {
  const option = new Option('--wait <duration>', 'how long to wait for a status, a score or a webhook');
  return option.argParser(durationOption('--wait')).default(60_000, '60s');
}

async function verify(options: VerifyOptions): Promise<void> {
  const config = configured(() => readVerifyConfig());
  const environment = kindOf(config.baseUrl);
  checkEnvironment(environment, options.yes);
  const configurationId = options.configurationId ?? config.configurationId;
  if (!configurationId) throw new CliError('Name the flow: --configuration-id, or INCODE_CONFIGURATION_ID');
  const givenToken = await tokenOf(options.executiveTokenFile);
  const triedToken = givenToken ?? (await tokenOfWorkers(config));
  const listener = await listenerOf(options);
  const probe = createProbe(config);
  const sessions = new OwnSessions(probe, configurationId, ({ interviewId }) => {
    listener?.expect(interviewId);
    printNotice(`Opened session ${interviewId}`);
  });
  printNotice(intentions(options, environment, sessions.label));

  const startedAt = new Date();
  const stop = stopSignal(options.timeout);
  const trial: Trial = {
    probe,
    sessions,
    seen: { statuses: [] },
    whyNot: {},
    signal: stop.signal,
    waitMs: options.wait,
    tryRateLimit: options.tryRateLimit,
    waitForExpiryMs: options.waitForExpiry,
    executiveToken: triedToken,
    listener,
  };
  try {
    await runTrial(trial);
  } catch (error) {
    if (!stop.signal.aborted) throw cannotRun(error);
  } finally {
    printNotice('Closing the sessions of this run');
    // The token of workers may be one that only reads.
    await sessions.cleanUp(givenToken, AbortSignal.timeout(CLEAN_UP_MS));
    printWhatIsLeft(sessions);
    await Promise.all([probe.close(), listener?.close()]);
  }
  const settings = { ...config, hasExecutive: config.executive !== null };
  const results = CHECKS.map((check) => resultOf(check, trial.seen, settings, (name) => trial.whyNot[name] ?? STOPPED));
  const report: Report = { version: packageVersion(), environment, startedAt, stopped: stop.why(), results, sessions };
  if (options.json) printAsJson(report);
  else printAsTable(report);
  process.exitCode = exitCodeOf(report, stop.isInterrupted());
}

const CLEAN_UP_MS = 60_000;

function exitCodeOf({ results, sessions, stopped }: Report, isInterrupted: boolean): number {
  if (isInterrupted) return EXIT.interrupted;
  const isUnsafe = results.some(({ verdict }) => verdict === 'unsafe');
  return isUnsafe || stopped !== undefined || !isCleanedUp(sessions) ? EXIT.failed : EXIT.ok;
}

async function tokenOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = await readSessionToken(file, '--executive-token-file');
  if (!/^[\x21-\x7e]+$/.test(token)) throw new CliError('--executive-token-file must hold one token, and nothing else');
  return keepSecret(token);
}

/** The token that workers with this environment have. */
async function tokenOfWorkers(config: ReturnType<typeof readVerifyConfig>): Promise<string | undefined> {
  const incode = createIncodeClient(config);
  try {
    return await executiveToken(config, incode)?.token();
  } catch (error) {
    if (!(error instanceof IncodeError)) throw error;
    throw new CliError(`The executive user of this environment cannot be tried: ${error.message}`);
  } finally {
    await incode.close();
  }
}

async function listenerOf({ publicUrl, webhookPort }: VerifyOptions) {
  if (publicUrl === undefined) return undefined;
  const isUrl = URL.canParse(publicUrl) && /^https?:$/.test(new URL(publicUrl).protocol);
  if (!isUrl || new URL(publicUrl).username !== '') {
    throw new CliError('--public-url must be an http or https URL without credentials');
  }
  return started('The webhook listener', startWebhookListener(publicUrl, webhookPort));
}

function cannotRun(error: unknown): unknown {
  if (!(error instanceof CannotStart || error instanceof NoReply)) return error;
  return new CliError(`Nothing could be tried: ${error.message}`, EXIT.usage);
}

function intentions({ waitForExpiry, executiveTokenFile }: VerifyOptions, environment: string, label: string): string {
  const { planned, most } = sessionCounts(waitForExpiry !== undefined);
  const end = executiveTokenFile === undefined ? 'closes them' : 'closes and deletes them';
  return `This run opens ${planned} sessions (${most} at most) at Incode (${environment}), finishes some of them, and ${end} at the end.
They have the externalCustomerId ${label}. Ctrl-C ends the run and cleans up.`;
}

/** Ends the run at Ctrl-C or after the timeout. A second Ctrl-C ends the process at once. */
function stopSignal(timeoutMs: number) {
  const interrupted = new AbortController();
  void untilInterrupted().then(() => interrupted.abort());
  const timeout = AbortSignal.timeout(timeoutMs);
  return {
    signal: AbortSignal.any([interrupted.signal, timeout]),
    isInterrupted: () => interrupted.signal.aborted,
    why: () => (interrupted.signal.aborted ? 'interrupted' : timeout.aborted ? 'the time was over' : undefined),
  };
}
