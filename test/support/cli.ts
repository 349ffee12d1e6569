import { type ChildProcess, type ChildProcessWithoutNullStreams, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** These commands install the SDK's runtime, which a process can do only once. */
const USE_RUNTIME = ['worker', 'demo', 'dev'];

/**
 * Runs the built program. It shares a process with earlier runs ({@link start} uses a separate one), and fails the test if it leaves
 * something open that would keep a process alive.
 */
export async function run(args: string[], stdin = '', env: Record<string, string> = {}): Promise<Ran> {
  if (USE_RUNTIME.includes(args[0] ?? '') && !args.includes('--help')) return start(args, stdin, env).ended;
  const host = idleHosts.pop() ?? startHost();
  host.send({ args, stdin, env: { ...process.env, ...env } });
  const [answer] = await Promise.race([once(host, 'message'), once(host, 'exit').then(hostEnded)]);
  const { leftOpen, ...ran } = answer as Ran & { leftOpen: string[] };
  if (leftOpen.length > 0) throw new Error(`temporal-incode ${args.join(' ')} left open: ${leftOpen.join(', ')}`);
  idleHosts.push(host);
  return ran;
}

const HOST = fileURLToPath(new URL('cli-host.js', import.meta.url));
const idleHosts: ChildProcess[] = [];

/** Starts another host if all are busy. Hosts end with the process of the tests. */
function startHost(): ChildProcess {
  const host = fork(HOST, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  host.unref();
  host.channel?.unref();
  return host;
}

function hostEnded([code]: unknown[]): never {
  throw new Error(`The process that runs commands ended with ${code}`);
}

/** Starts the program in a separate process, to which tests can send signals. */
export function start(args: string[], stdin = '', env: Record<string, string> = {}): Running {
  const started = startWithOpenStdin(args, env);
  started.child.stdin.end(stdin);
  return started;
}

/** @param script a script for `sh`, in which `"$@"` is the command */
export async function runInShell(script: string, args: string[], stdin = ''): Promise<Ran> {
  const { child, ended } = running(spawn('sh', ['-c', script, 'sh', process.execPath, MAIN, ...args]));
  child.stdin.end(stdin);
  return ended;
}

/** Starts the program and leaves its stdin open. */
export function startWithOpenStdin(args: string[], env: Record<string, string> = {}): Running {
  return running(
    spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
    }),
  );
}

interface Running {
  child: ChildProcessWithoutNullStreams;
  ended: Promise<Ran>;
}

function running(child: ChildProcessWithoutNullStreams): Running {
  child.stdin.on('error', () => undefined);
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { child, ended: ended.then(([[code], stdout, stderr]) => ({ code, stdout, stderr })) };
}
