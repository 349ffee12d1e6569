import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { connectOnboardingClient } from '../../client/index.js';
import { rateLimitEnvironment } from '../../config/index.js';
import { startIncodeSimulator } from '../../testing/index.js';
import { localWorkerEnvironment, startServer } from '../local/environment.js';
import { startWorkerProcess } from '../local/worker-process.js';
import { checkDirectory } from '../shared/directory.js';
import { started } from '../shared/exit.js';
import { portOption } from '../shared/options.js';
import { printJson, startProgress } from '../shared/output.js';
import { asTyped } from '../shared/program.js';
import { untilInterrupted } from '../shared/signals.js';

interface DevOptions {
  port: number;
  uiPort: number;
  simulatorPort: number;
  gatewayPort: number;
  dataDir: string;
  images?: string;
  json: boolean;
}

/** Not a secret: the simulator listens only on this machine. */
const API_KEY = 'dev';

export function define(command: Command): void {
  command
    .option('--port <port>', 'port of the Temporal server', portOption('--port'), 7233)
    .option('--ui-port <port>', 'port of the Web UI', portOption('--ui-port'), 8233)
    .option('--simulator-port <port>', 'port of the simulated Incode', portOption('--simulator-port'), 4010)
    .option('--gateway-port <port>', 'port of the gateway and its console', portOption('--gateway-port'), 8090)
    .option('--data-dir <dir>', 'directory for workflows, sessions and logs', '.temporal-incode')
    .option('--images <directory>', 'directory with images of people, which the worker may read')
    .option('--json', 'print the addresses as JSON', false)
    .addHelpText('after', '\nExample:\n  $ temporal-incode dev --data-dir /tmp/onboarding')
    .action(dev);
}

async function dev({ port, uiPort, simulatorPort, gatewayPort, dataDir, images, json }: DevOptions): Promise<void> {
  if (images !== undefined) await checkDirectory('--images', images);
  const interrupted = untilInterrupted();
  const data = resolve(dataDir);
  await mkdir(data, { recursive: true });
  const progress = startProgress('Starting the Temporal server');
  const stops: (() => Promise<void>)[] = [];
  try {
    const starting = startServer({ port, uiPort, dataDir: data, onProgress: progress.show });
    const server = await started('The Temporal server', starting);
    stops.push(() => server.stop());
    progress.show('Starting the Incode simulator');
    const dataFile = join(data, 'incode-sessions.json');
    const simulator = await started(
      'The Incode simulator',
      startIncodeSimulator({ port: simulatorPort, apiKeys: [API_KEY], dataFile }),
    );
    stops.push(() => simulator.close());
    progress.show('Starting the worker');
    const log = join(data, 'worker.log');
    // With a configuration id the worker renews tokens by itself, and an executive token lets it purge, as in production.
    const env = {
      ...localWorkerEnvironment(server, simulator),
      ...rateLimitEnvironment(),
      INCODE_CONFIGURATION_ID: 'dev',
      INCODE_EXECUTIVE_EMAIL: 'dev@example.com',
      INCODE_EXECUTIVE_PASSWORD: 'dev',
      ...(images === undefined ? {} : { INCODE_IMAGE_ROOTS: resolve(images) }),
    };
    const worker = await startWorkerProcess(env, log);
    stops.push(() => worker.stop());
    progress.show('Starting the webhook receiver');
    const client = await connectOnboardingClient({ address: server.address, namespace: server.namespace });
    stops.push(() => client.close());
    const { startSimulatorReceiver } = await import('../local/receiver.js');
    const receiver = await startSimulatorReceiver(client, simulator);
    stops.push(() => receiver.close());
    progress.show('Starting the gateway');
    const { startLocalGateway } = await import('../local/local-gateway.js');
    const gateway = await started('The gateway', startLocalGateway(client, server, gatewayPort));
    stops.push(() => gateway.close());
    progress.stop();
    const addresses = {
      temporal: server.address,
      webUi: server.uiUrl,
      gateway: gateway.url,
      incode: simulator.url,
      webhook: receiver.url,
      workerLog: log,
      dataDir: data,
    };
    if (json) printJson(addresses);
    else process.stdout.write(asTyped(instructions({ ...addresses, images })));
    await interrupted;
    process.stderr.write('Stopping. All data stays in the data directory.\n');
  } finally {
    progress.stop();
    for (const stop of stops.reverse()) await stop();
  }
}

interface Addresses {
  temporal: string;
  webUi: string | null;
  gateway: string;
  incode: string;
  webhook: string;
  workerLog: string;
  images?: string | undefined;
}

function instructions(at: Addresses): string {
  return `
Console     ${at.gateway} (HTTP API: ${at.gateway}/v1)
Web UI      ${at.webUi}
Temporal    ${at.temporal}
Incode      ${at.incode} (simulated; x-api-key: ${API_KEY})
Webhooks    ${at.webhook} (the simulated Incode sends them)
Worker log  ${at.workerLog}

Open a session, then complete it:
  $ curl -s ${at.incode}/omni/start -H 'x-api-key: ${API_KEY}' -H 'api-version: 1.0' -H 'Content-Type: application/json' \\
      -d '{"configurationId": "dev", "countryCode": "ALL", "language": "en-US"}'
  $ temporal-incode complete --address ${at.temporal} <interviewId>

Open a session that waits for its documents and then for a manual review (a minute):
  $ curl -s ${at.incode}/_simulator/sessions -d '{"action": "none", "score": {"status": "WARN", "value": "61.0"},
      "processedAfterMs": 20000, "manualReview": {"verdict": "APPROVED", "afterMs": 30000}}'
  $ temporal-incode complete --address ${at.temporal} <interviewId> --finish-when processed --review wait
${
  at.images === undefined
    ? ''
    : `
Onboard people from images (docs/capture.md):
  $ temporal-incode capture people.csv --images ${at.images} --address ${at.temporal}
`
}
Press Ctrl-C to stop.
`;
}
