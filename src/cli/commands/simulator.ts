import type { Command } from 'commander';
import { startIncodeSimulator } from '../../testing/index.js';
import { started } from '../shared/exit.js';
import { portOption } from '../shared/options.js';
import { printJson } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';

interface SimulatorOptions {
  port: number;
  apiKey: string;
  dataFile?: string;
  json: boolean;
}

export function define(command: Command): void {
  command
    .option('--port <port>', 'port on 127.0.0.1; 0 means any free port', portOption('--port'), 4010)
    .option('--api-key <key>', 'accepted value of x-api-key', 'simulator')
    .option('--data-file <file>', 'file for its sessions')
    .option('--json', 'print the address as JSON', false)
    .addHelpText(
      'after',
      `
Open a session as at Incode, then complete it:
  $ temporal-incode simulator --port 4010 --api-key K &
  $ curl -s http://127.0.0.1:4010/omni/start \\
      -H 'x-api-key: K' -H 'api-version: 1.0' \\
      -H 'Content-Type: application/json' \\
      -d '{"configurationId":"demo","countryCode":"ALL","language":"en-US"}'`,
    )
    .action(simulate);
}

async function simulate({ port, apiKey, dataFile, json }: SimulatorOptions): Promise<void> {
  const starting = startIncodeSimulator({ port, apiKeys: [apiKey], ...(dataFile ? { dataFile } : {}) });
  const simulator = await started('The Incode simulator', starting);
  if (json) printJson({ url: simulator.url });
  else process.stdout.write(`Incode simulator at ${simulator.url}, until Ctrl-C\n`);
  await untilInterrupted();
  await simulator.close();
}
