import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { minimalEnvironment } from './program.js';

/** A server in a child process that ends with this process. */
interface ServerProcess {
  readonly pid: number | null;
  /** Rejects when the server ends, with the last lines of its output. */
  readonly failed: Promise<never>;
  /** Does nothing if the server has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export function startServerProcess(path: string, args: string[]): ServerProcess {
  // In its own process group, because Ctrl-C must not stop it before the workers have completed their work.
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: minimalEnvironment() });
  const last: string[] = [];
  const remember = (text: Buffer) => {
    last.push(...text.toString().split('\n').filter(Boolean));
    last.splice(0, last.length - 10);
  };
  child.stdout?.on('data', remember);
  child.stderr?.on('data', remember);
  const forget = killedWithUs(child);
  const closed = once(child, 'close').catch(() => undefined);
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      reject(new Error(`The Temporal server ended (${signal ?? `exit code ${code}`}):\n${last.join('\n')}`)),
    );
  });
  // It also rejects at a normal end, which must not count as an unhandled rejection.
  failed.catch(() => undefined);
  return {
    pid: child.pid ?? null,
    failed,
    async end(signal) {
      forget();
      child.kill(signal);
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await closed;
      clearTimeout(force);
    },
  };
}

/** The server writes its database before it ends. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Kills the child when this process ends in any way. Node runs no handler for SIGKILL and for signals without a listener, so a shell
 * waits for the end of a pipe from this process.
 *
 * @returns a function that removes the exit handler
 */
function killedWithUs(child: ChildProcess): () => void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const watcher =
    process.platform === 'win32' || child.pid === undefined
      ? undefined
      : spawn('/bin/sh', ['-c', 'read -r _; kill -9 "$0"', String(child.pid)], {
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
          env: minimalEnvironment(),
        });
  watcher?.once('error', () => undefined);
  watcher?.unref();
  // Ends the watcher before another process can get the child's id.
  child.once('exit', () => watcher?.kill('SIGKILL'));
  return () => process.removeListener('exit', kill);
}

/** @returns `wanted`, or any free port if `wanted` is 0. @throws Error if the port is taken */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    // The new server would end at once, and the process that has the port would be mistaken for it.
    throw new Error(
      `Port ${wanted} is taken. Use another one. Tests use a Temporal server that runs there if TEMPORAL_ADDRESS=127.0.0.1:${wanted}.`,
    );
  }
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}
