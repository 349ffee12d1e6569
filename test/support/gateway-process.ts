import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GatewayEvent } from '../../src/gateway/log.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** `temporal-incode gateway` in a separate process. */
export interface GatewayProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  /** Its output on stdout and stderr. */
  output(): string;
  /** Its audit log, oldest first. */
  events(): GatewayEvent[];
  /** Sends SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param env the complete environment */
export async function startGatewayProcess(args: string[], env: Record<string, string>): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [MAIN, 'gateway', ...args, '--json'], { env: { GATEWAY_PORT: '0', ...env } });
  const closed = once(child, 'close');
  const end = (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return closed;
  };
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const { url } = await new Promise<{ url: string }>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      if (stdout.endsWith('}\n')) resolve(JSON.parse(stdout));
    });
    child.once('close', (code) => reject(new Error(`gateway ended with ${code}:\n${stderr}`)));
  });
  const lines = () => stderr.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return {
    child,
    url,
    output: () => stdout + stderr,
    events: () => lines().filter(({ msg }) => msg === 'Gateway'),
    async stop() {
      const [code] = await end('SIGTERM');
      return code;
    },
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}
