import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface WorkerProcess {
  readonly pid: number;
  /** Sends SIGTERM: work in flight may complete. */
  stop(): Promise<void>;
  /** Sends SIGKILL: the process dies at once. */
  kill(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/**
 * Starts `temporal-incode worker` as a separate process that logs to a file.
 *
 * @returns when the worker polls for work
 * @throws Error with the last lines of the log if the process ends before
 */
export async function startWorkerProcess(env: Record<string, string>, logFile: string): Promise<WorkerProcess> {
  // The worker learns from the IPC channel that this process has died.
  const child = spawn(process.execPath, [MAIN, 'worker'], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  const exited = once(child, 'exit');
  await ready(child, logFile);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return { pid: child.pid as number, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

async function ready(child: ChildProcess, logFile: string): Promise<void> {
  if (!child.stderr) throw new Error('The worker process has no stderr');
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stderr.pipe(log);
  const last: string[] = [];
  const lines = createInterface(child.stderr);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      if (line.includes('"Worker ready"')) resolve();
    });
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`The worker ended with exit code ${code}:\n${last.join('\n')}`)));
  });
}
