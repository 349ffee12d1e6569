import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';

/**
 * A program in its own process group, so that Ctrl-C does not reach it before the programs that need it have ended. Its output goes to a
 * file.
 */
export class Child {
  #child;
  #ended;
  #log;
  #name;

  constructor(name, command, args, { log, ...options }) {
    const output = openSync(log, 'a');
    this.#name = name;
    this.#log = log;
    this.#child = spawn(command, args, { stdio: ['ignore', output, output], detached: true, ...options });
    this.#ended = once(this.#child, 'exit').catch(() => undefined);
    this.killAtExit = () => this.signal('SIGKILL');
    process.once('exit', this.killAtExit);
    this.#ended.then(() => process.removeListener('exit', this.killAtExit));
  }

  get pid() {
    return this.#child.pid;
  }

  get isRunning() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Signals the whole group, also processes that the program started. */
  signal(signal) {
    try {
      if (this.isRunning && this.pid) process.kill(-this.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  /** Signals only the program itself. */
  signalLeader(signal) {
    if (this.isRunning) this.#child.kill(signal);
  }

  async kill() {
    this.signal('SIGKILL');
    await this.#ended;
  }

  /** @param signal what the program takes as a request to end */
  async end(signal = 'SIGTERM') {
    // A stopped program ends only once it continues.
    this.signal('SIGCONT');
    this.signalLeader(signal);
    const force = setTimeout(() => this.signal('SIGKILL'), END_WITHIN_MS);
    await this.#ended;
    clearTimeout(force);
  }

  /** Waits until `isReady`. @throws Error with the end of the program's output if it ends before */
  async ready(isReady) {
    const until = Date.now() + READY_WITHIN_MS;
    while (!(await isReady())) {
      if (!this.isRunning) throw new Error(`${this.#name} has ended:\n${this.lastLines()}`);
      if (Date.now() > until) throw new Error(`${this.#name} does not answer:\n${this.lastLines()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  lastLines() {
    return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  }
}

const READY_WITHIN_MS = 120_000;
/** The server moves its shards to other nodes before it ends. */
const END_WITHIN_MS = 20_000;
