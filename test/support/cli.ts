import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** The real program, in a process of its own. */
export async function run(args: string[], stdin = '', env: Record<string, string> = {}): Promise<Ran> {
  return start(args, stdin, env).ended;
}

export function start(args: string[], stdin = '', env: Record<string, string> = {}): Running {
  const started = startWithOpenStdin(args, env);
  started.child.stdin.end(stdin);
  return started;
}

/** @param script of `sh`, in which `"$@"` is the command */
export async function runInShell(script: string, args: string[], stdin = ''): Promise<Ran> {
  const { child, ended } = running(spawn('sh', ['-c', script, 'sh', process.execPath, MAIN, ...args]));
  child.stdin.end(stdin);
  return ended;
}

/** Somebody may still write into it. */
export function startWithOpenStdin(args: string[], env: Record<string, string> = {}): Running {
  return running(spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } }));
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
