import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { workerEnvironment } from './world.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** `temporal-incode worker` in a separate process, with new task queues and an address for metrics. */
export interface MonitoredWorker {
  readonly child: ChildProcess;
  readonly taskQueue: string;
  readonly bulkTaskQueue: string;
  /** Its log lines so far. */
  lines(): Record<string, unknown>[];
  log(): string;
  /** Requests a path of its metrics address. */
  ask(path: string, method?: string): Promise<{ status: number; body: string }>;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * @param under a command that runs the worker, for example with a memory limit
 * @returns at once, before the worker serves requests
 */
export function spawnWorker(
  baseUrl: string,
  env: Record<string, string> = {},
  under: readonly string[] = [],
): MonitoredWorker {
  const taskQueue = `test-${randomUUID()}`;
  const [command = '', ...args] = [...under, process.execPath, MAIN, 'worker'];
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...workerEnvironment(baseUrl, taskQueue),
      WORKER_METRICS_ADDRESS: '127.0.0.1:0',
      ...env,
    },
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code);
  const lines = () =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  return {
    child,
    taskQueue,
    bulkTaskQueue: `${taskQueue}-bulk`,
    lines,
    log: () => text,
    async ask(path, method = 'GET') {
      const url = lines().find(({ msg }) => msg === 'Serving metrics and health')?.url;
      if (url === undefined) return { status: 0, body: 'It does not serve yet' };
      // A new connection for each request: a kept one would hide that the worker no longer listens.
      const response = await fetch(`${url}${path}`, { method, headers: { connection: 'close' } }).catch(() => null);
      return response ? { status: response.status, body: await response.text() } : { status: 0, body: 'Gone' };
    },
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}
