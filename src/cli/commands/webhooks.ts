import type { Command } from 'commander';
import { readWebhookConfig } from '../../config/index.js';
import { warnOfUnknownVariables } from '../../config/unknown-variables.js';
import type { WebhookEvent } from '../../webhook/index.js';
import { configured, EXIT, started } from '../shared/exit.js';
import { type TemporalOptions, withClient, withTemporalOptions } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { type PlanOptions, planOf, withPlanOptions } from '../shared/plan-options.js';
import { untilInterrupted } from '../shared/signals.js';

interface WebhooksOptions extends TemporalOptions, PlanOptions {
  startUnknown: boolean;
  json: boolean;
}

export function define(command: Command): void {
  withPlanOptions(withTemporalOptions(command), 'processed')
    .option(
      '--start-unknown',
      'start an onboarding, with the plan of these options, for a session that has none',
      false,
    )
    .option('--json', 'print the addresses as JSON', false)
    .addHelpText(
      'after',
      `
Configured by environment variables, which docs/webhooks.md lists. At least one way to authenticate Incode is required.
The plan's options apply only with --start-unknown. Workers then need a token source, because a webhook contains no token.

Examples:
  $ WEBHOOK_HEADER_SECRETS_FILE=/run/secrets/incode temporal-incode webhooks
  $ WEBHOOK_OAUTH_CLIENTS_FILE=/run/secrets/clients \\
      temporal-incode webhooks --start-unknown --review wait`,
    )
    .action(webhooks);
}

async function webhooks(options: WebhooksOptions): Promise<void> {
  const interrupted = untilInterrupted();
  let warn: ((warning: string) => void) | undefined;
  // Configuration warnings occur later, when the logger exists.
  const onWarning = (warning: string) => warn?.(warning);
  const config = configured(() => readWebhookConfig(undefined, onWarning));
  const start = options.startUnknown ? { start: { plan: planOf(options) } } : {};
  // Loaded late, because only the receiver needs these packages and help must work without them.
  const [{ createLogger }, { onboardingReceiver }, { startReceiverMonitoring }] = await Promise.all([
    import('../../monitoring/logger.js'),
    import('../local/receiver.js'),
    import('../../monitoring/receiver.js'),
  ]);
  const logger = createLogger(config.logLevel);
  const { info } = logger;
  warn = logger.warn;
  warnOfUnknownVariables(logger.warn);
  const { metricsAddress } = config;
  const monitoring = metricsAddress && (await started('The metrics', startReceiverMonitoring(metricsAddress)));
  if (monitoring) info('Serving metrics', { url: monitoring.url });
  await withClient({ ...options, onWarning }, async (client) => {
    const receiver = onboardingReceiver(client, {
      ...config.receiver,
      ...start,
      log: ({ error, ...event }: WebhookEvent) => {
        monitoring?.observe(event);
        const log = event.httpStatus < 400 ? info : logger.warn;
        log('Webhook', { ...event, ...(error === undefined ? {} : { error: messageOf(error) }) });
      },
    });
    const { url } = await started('The webhook receiver', receiver.listen({ host: config.host, port: config.port }));
    const { delivery, token } = receiver.paths;
    const addresses = { delivery: `${url}${delivery}`, token: token === null ? null : `${url}${token}` };
    if (options.json) printJson(addresses);
    else process.stdout.write(instructions(addresses));
    await interrupted;
    await receiver.close();
    info('Webhook receiver stopped', { ...receiver.counts });
    // Exit now that all deliveries are answered. Temporal's client may still retry a signal whose delivery was answered 503, and
    // closing the client would then throw an uncaught error.
    process.exit(EXIT.ok);
  });
}

function instructions({ delivery, token }: { delivery: string; token: string | null }): string {
  const tokens = token === null ? '' : `  OAuth2 token endpoint  ${token}\n`;
  return `Set on Incode's dashboard, behind your TLS:\n  Webhook URL            ${delivery}\n${tokens}Until Ctrl-C\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
