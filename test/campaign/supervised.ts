import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const RESTART_AFTER_MS = 200;

const READY_WITHIN_MS = 300_000;

export type OnEnd = (code: number | string | null, wasReady: boolean) => void;

/** A process that is restarted whenever it ends, as a supervisor would. */
export class Supervised {
  readonly logFile: string;
  private readonly args: string[];
  private readonly readyMark: string;
  private readonly env: Record<string, string>;
  private readonly onEnd: OnEnd;
  private child: ChildProcess | undefined;
  private isReady = false;
  private isWanted = false;
  private timer: NodeJS.Timeout | undefined;
  private ends = 0;

  /**
   * @param readyMark the text that it writes once it is ready
   * @param onEnd called when it ends unexpectedly
   */
  constructor(
    args: string[],
    env: Record<string, string>,
    { logFile, readyMark }: { logFile: string; readyMark: string },
    onEnd: OnEnd,
  ) {
    this.args = args;
    this.readyMark = readyMark;
    this.env = env;
    this.logFile = logFile;
    this.onEnd = onEnd;
    process.on('exit', this.killAtExit);
  }

  start(): void {
    this.isWanted = true;
    clearTimeout(this.timer);
    if (this.child) return;
    const child = spawn(process.execPath, [MAIN, ...this.args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        appendFileSync(this.logFile, chunk);
        if (String(chunk).includes(this.readyMark) && this.child === child) this.isReady = true;
      });
    }
    child.once('exit', (code, signal) => {
      const wasReady = this.isReady;
      if (this.child === child) {
        this.child = undefined;
        this.isReady = false;
      }
      if (!this.isWanted) return;
      this.ends += 1;
      this.onEnd(code ?? signal, wasReady);
      this.timer = setTimeout(() => this.start(), RESTART_AFTER_MS);
    });
  }

  /** @returns whether it is ready, at the latest after the time that a slow machine needs */
  async ready(): Promise<boolean> {
    const until = Date.now() + READY_WITHIN_MS;
    while (!this.isReady && this.isWanted && Date.now() < until) await sleep(50);
    return this.isReady;
  }

  /** Waits until it has ended by itself, at most for this time. */
  async endedByItself(withinMs: number): Promise<void> {
    const { ends } = this;
    const until = Date.now() + withinMs;
    while (this.ends === ends && this.isWanted && Date.now() < until) await sleep(50);
  }

  /** Freezes the process for this time, like a suspended machine. It may be killed while it is frozen. */
  async freeze(ms: number): Promise<void> {
    const { child } = this;
    child?.kill('SIGSTOP');
    await sleep(ms);
    child?.kill('SIGCONT');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.isWanted = false;
    clearTimeout(this.timer);
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  async dispose(): Promise<void> {
    await this.end('SIGKILL');
    process.off('exit', this.killAtExit);
  }

  private readonly killAtExit = (): void => {
    this.child?.kill('SIGKILL');
  };
}
