import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { minimalEnvironment } from './program.js';

/** A server that runs as a process of ours, and never outlives us. */
export interface ServerProcess {
  readonly pid: number | null;
  /** Rejects when it ends, with the last lines that it wrote. */
  readonly failed: Promise<never>;
  /** Does nothing if it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export function startServerProcess(path: string, args: string[]): ServerProcess {
  // In a group of its own, or Ctrl-C would stop it at once, under the workers that still end their work.
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
  // It rejects at every end; only who waits for the start is to hear of it.
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

/** It writes its database on the way out. */
const STOP_TIMEOUT_MS = 10_000;

/**
 * Kills the child when this process ends, in whatever way: Node tells nobody about a signal that nobody listens to, nor
 * about SIGKILL. A shell that waits for the end of a pipe from us notices both.
 *
 * @returns a function that calls it off
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
  // Before another process can be given the child's id.
  child.once('exit', () => watcher?.kill('SIGKILL'));
  return () => process.removeListener('exit', kill);
}

/** @returns a port that nobody has; `wanted`, unless that is 0 */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer().listen(wanted, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    // Started nevertheless, the server would end, and whoever has the port would be taken for it.
    throw new Error(
      `Port ${wanted} is taken. If a Temporal server has it, TEMPORAL_ADDRESS=127.0.0.1:${wanted} uses it.`,
    );
  }
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}
