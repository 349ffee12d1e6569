import type { Command } from 'commander';
import { encryptionCodec } from '../../codec/index.js';
import { readCodecServerConfig } from '../../config/index.js';
import { redacted } from '../../secrets/index.js';
import { configured, started } from '../shared/exit.js';
import { printJson } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';

export function define(command: Command): void {
  command
    .option('--json', 'print the address as JSON', false)
    .addHelpText(
      'after',
      `
Configured by environment variables, which docs/encryption.md lists.

Example:
  $ TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE=keys CODEC_SERVER_TOKENS_FILE=tokens \\
      CODEC_SERVER_ORIGINS=https://temporal.example temporal-incode codec-server`,
    )
    .action(serve);
}

async function serve({ json }: { json: boolean }): Promise<void> {
  const interrupted = untilInterrupted();
  // Plain lines on stderr, because this command has no other log.
  const warn = (warning: string) => process.stderr.write(`${redacted(warning)}\n`);
  const { keys, tokens, origins, host, port } = configured(() => readCodecServerConfig(undefined, warn));
  const { createCodecServer } = await import('../../codec/server.js');
  const server = createCodecServer({ codec: encryptionCodec(keys), tokens, origins });
  const url = await started('The codec server', server.listen({ host, port }));
  if (json) printJson({ url });
  else process.stdout.write(`Codec server at ${url}, for the Web UI and temporal --codec-endpoint, until Ctrl-C\n`);
  await interrupted;
  await server.close();
}
