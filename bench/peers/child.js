import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';

/** What a worker or server needs to end in good order; one that hangs must not hold the benchmark up. */
const STOP_WITHIN_MS = 10_000;

/** A process that can be stopped in good order, or killed. */
class Child {
  constructor(process) {
    this.process = process;
    this.exited = once(process, 'exit');
  }

  get pid() {
    return this.process.pid;
  }

  send(message) {
    this.process.send(message);
  }

  onMessage(listener) {
    this.process.on('message', listener);
  }

  async stop(signal = 'SIGTERM') {
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_WITHIN_MS);
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.exited;
    clearTimeout(timer);
  }

  kill() {
    return this.stop('SIGKILL');
  }
}

/** A module as a process of its own, once it has said `ready`. @param settings handed over as JSON */
export async function startModule(url, settings, directory) {
  const log = openSync(join(directory, 'workers.log'), 'a');
  const child = new Child(fork(url, [JSON.stringify(settings)], { stdio: ['ignore', log, log, 'ipc'] }));
  const [first] = await Promise.race([once(child.process, 'message'), child.exited]);
  if (first !== 'ready')
    throw new Error(`${url.pathname} ended before it was ready; see ${join(directory, 'workers.log')}`);
  return child;
}

export function startProgram(command, args, directory, options = {}) {
  const log = openSync(join(directory, 'servers.log'), 'a');
  const child = spawn(command, args, { cwd: directory, stdio: ['ignore', log, log], ...options });
  // Also if it never gets ready, or the benchmark fails in a way that nobody foresaw.
  process.once('exit', () => child.kill());
  return new Child(child);
}
