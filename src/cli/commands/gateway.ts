import { type Command, Option } from 'commander';
import { readGatewayConfig } from '../../config/index.js';
import { warnOfUnknownVariables } from '../../config/unknown-variables.js';
import { GATEWAY_SCOPES, type GatewayScope } from '../../contract/gateway-settings.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { GatewayEvent } from '../../gateway/log.js';
import { newToken } from '../../gateway/new-token.js';
import { CliError, configured, EXIT, started } from '../shared/exit.js';
import { type TemporalOptions, withClient, withTemporalOptions } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';

interface GatewayCommandOptions extends TemporalOptions {
  newToken?: string;
  scope?: GatewayScope[];
  json: boolean;
}

export function define(command: Command): void {
  withTemporalOptions(command)
    .option('--new-token <name>', 'make a token for this caller, print it once, and exit')
    .addOption(
      new Option('--scope <scope...>', 'what the new token permits; repeat it for several').choices(GATEWAY_SCOPES),
    )
    .option('--json', 'print the address, or the new token, as JSON', false)
    .addHelpText(
      'after',
      `
Configured by environment variables, which docs/gateway.md lists. On 127.0.0.1 it needs none, and then permits everything to everybody on
this machine. Elsewhere it needs tokens and TLS.

The scopes of a token:
  read     see sessions, people and batches
  start    start, finish and follow them, and hand in session tokens
  operate  hand in session tokens and images, extend deadlines, cancel, pause,
           resume and stop

Examples:
  $ temporal-incode gateway --new-token billing --scope start
  $ GATEWAY_TOKENS_FILE=/run/secrets/gateway-tokens temporal-incode gateway`,
    )
    .action(gateway);
}

async function gateway(options: GatewayCommandOptions): Promise<void> {
  const { newToken: name, scope, json } = options;
  if (name !== undefined) return makeToken(name, scope ?? [], json);
  if (scope) throw new CliError('--scope belongs to --new-token');
  await serve(options);
}

function makeToken(name: string, scopes: GatewayScope[], json: boolean): void {
  if (!/^[\w.@-]{1,64}$/.test(name)) {
    throw new CliError('--new-token must have 1 to 64 letters, digits or any of _ . @ -');
  }
  if (scopes.length === 0) throw new CliError(`--new-token needs --scope: ${GATEWAY_SCOPES.join(', ')}`);
  const made = newToken(name, [...new Set(scopes)]);
  if (json) printJson(made);
  else {
    process.stdout.write(
      `Token for the caller, shown only now:\n  ${made.token}\nLine for the file that GATEWAY_TOKENS_FILE names:\n  ${made.line}\n`,
    );
  }
}

async function serve({ json, ...options }: GatewayCommandOptions): Promise<void> {
  const interrupted = untilInterrupted();
  let warn: ((warning: string) => void) | undefined;
  // Configuration warnings occur later, when the logger exists.
  const onWarning = (warning: string) => warn?.(warning);
  const config = configured(() => readGatewayConfig(undefined, onWarning));
  // Loaded late, because only the gateway needs these packages and help must work without them.
  const [{ createLogger }, { onboardingGateway }, { startGatewayMonitoring }] = await Promise.all([
    import('../../monitoring/logger.js'),
    import('../local/gateway.js'),
    import('../../monitoring/gateway.js'),
  ]);
  const logger = createLogger(config.logLevel);
  const { info } = logger;
  warn = logger.warn;
  warnOfUnknownVariables(logger.warn);
  const { metricsAddress, host, port, tokens, tls, requestsPerSecond, maxConnections } = config;
  const monitoring = metricsAddress && (await started('The metrics', startGatewayMonitoring(metricsAddress)));
  if (monitoring) info('Serving metrics', { url: monitoring.url });
  await withClient({ ...options, onWarning }, async (client) => {
    const server = onboardingGateway(client, {
      ...{ tokens, tls, requestsPerSecond, maxConnections, onWarning },
      log: ({ error, ...event }: GatewayEvent) => {
        monitoring?.observe(event);
        const log = event.httpStatus < 500 ? info : logger.warn;
        log('Gateway', omitUndefined({ ...event, error }));
      },
    });
    const { url } = await started('The gateway', server.listen({ host, port }));
    if (json) printJson({ url });
    else process.stdout.write(`Gateway at ${url}/v1, console at ${url}, until Ctrl-C\n`);
    await interrupted;
    await server.close();
    info('Gateway stopped');
    // Exit now that all requests are answered. Temporal's client may still wait for a session, and closing the client would then throw
    // an uncaught error.
    process.exit(EXIT.ok);
  });
}
