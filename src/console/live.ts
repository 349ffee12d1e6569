import { ApiProblem, GatewayAway } from './api.js';
import { eventsOf } from './stream.js';

// How pages learn what has changed. The gateway tells what a page watches as server-sent events. Without them, because there are too many
// listeners or the token does not permit it, the page polls: often while something changes and seldom otherwise, because each answer about
// a session costs a query to Temporal.

const FASTEST_MS = 2_000;
const SLOWEST_MS = 15_000;
const SLOW_DOWN = 1.5;

const RETRY_FASTEST_MS = 1_000;
const RETRY_SLOWEST_MS = 30_000;

/** The gateway sends something every 15 seconds. A stream that is silent for longer is dead. */
const SILENT_MS = 40_000;

export interface Watched<T> {
  load(signal: AbortSignal): Promise<T>;
  /** Called with the first answer and with each that differs from the one before. */
  show(answer: T): void;
  /** Called when the gateway refuses the request. The page keeps what it shows. */
  refused(problem: ApiProblem): void;
  /** @returns whether the answer can still change. @default always */
  continues?(answer: T): boolean;
  /** Where changes come from without polls. @default polls only */
  events?: Events<T> | null;
}

export interface Events<T> {
  open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** The events that concern the page. */
  name: string;
  /** @returns what the page shows now; `undefined` if it has to ask */
  read(data: string): T | undefined;
}

export interface Watch {
  /** Asks at once, after the user has changed something or asked for it. */
  refresh(): void;
  stop(): void;
}

export interface Connection {
  /** The gateway answers. */
  works(): void;
  /** Nothing answers, or only for a while. It is asked again at this time. */
  isAway(retryAt: number): void;
  /** The token is not valid any more. */
  needsSignIn(problem: ApiProblem): void;
}

export function watch<T>(watched: Watched<T>, connection: Connection): Watch {
  const watching = new Watching(watched, connection);
  watching.begin();
  return watching;
}

class Watching<T> implements Watch {
  private readonly watched: Watched<T>;
  private readonly connection: Connection;
  private readonly stopped = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private waitMs = FASTEST_MS;
  private retryMs = RETRY_FASTEST_MS;
  private shown: string | undefined;
  private isAsking = false;
  private isToAskAgain = false;
  private hasEnded = false;
  private isListening = false;
  private hasHeard = false;
  private listening = new AbortController();

  constructor(watched: Watched<T>, connection: Connection) {
    this.watched = watched;
    this.connection = connection;
  }

  begin(): void {
    document.addEventListener('visibilitychange', this.onVisible);
    window.addEventListener('online', this.onVisible);
    void this.ask();
  }

  refresh(): void {
    this.waitMs = FASTEST_MS;
    this.hasEnded = false;
    void this.ask();
  }

  stop(): void {
    this.stopped.abort();
    this.listening.abort();
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.onVisible);
    window.removeEventListener('online', this.onVisible);
  }

  /** A hidden tab costs nothing. */
  private readonly onVisible = () => {
    if (document.hidden) this.listening.abort();
    else if (!this.hasEnded) void this.ask();
  };

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    if (this.isAsking) {
      this.isToAskAgain = true;
      return;
    }
    this.isAsking = true;
    try {
      const answer = await this.watched.load(this.stopped.signal);
      if (this.stopped.signal.aborted) return;
      this.accept(answer);
      void this.listen();
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      this.waitMs = this.failed(error);
    } finally {
      this.isAsking = false;
    }
    if (this.isToAskAgain) {
      this.isToAskAgain = false;
      void this.ask();
    } else if (!this.hasHeard) this.askLater();
  }

  private askLater(): void {
    clearTimeout(this.timer);
    if (!this.hasEnded && !document.hidden) this.timer = setTimeout(() => void this.ask(), this.waitMs);
  }

  private accept(answer: T): void {
    this.connection.works();
    this.retryMs = RETRY_FASTEST_MS;
    const text = JSON.stringify(answer);
    this.waitMs = text === this.shown ? Math.min(this.waitMs * SLOW_DOWN, SLOWEST_MS) : FASTEST_MS;
    if (text !== this.shown) this.watched.show(answer);
    this.shown = text;
    this.hasEnded = this.watched.continues?.(answer) === false;
    if (this.hasEnded) this.listening.abort();
  }

  /** @returns how long to wait before the next request */
  private failed(error: unknown): number {
    this.shown = undefined;
    if (error instanceof ApiProblem && !error.isTemporary) {
      this.connection.works();
      if (error.problem.status === 401) this.connection.needsSignIn(error);
      else this.watched.refused(error);
      return SLOWEST_MS;
    }
    if (error instanceof ApiProblem) this.watched.refused(error);
    else if (!(error instanceof GatewayAway)) throw error;
    const retry = this.retryMs;
    this.retryMs = Math.min(retry * 2, RETRY_SLOWEST_MS);
    this.connection.isAway(Date.now() + retry);
    return retry;
  }

  /** Hears of changes until the stream ends, and polls then. */
  private async listen(): Promise<void> {
    const { events } = this.watched;
    if (!events || this.isListening || this.hasEnded || document.hidden) return;
    this.isListening = true;
    const listening = new AbortController();
    this.listening = listening;
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => listening.abort(), SILENT_MS);
    };
    heard();
    try {
      for await (const { name, data } of eventsOf(await events.open(listening.signal), heard)) {
        if (this.stopped.signal.aborted) return;
        this.hasHeard = true;
        // Polls go on until the first event, so that nothing is missed in between.
        clearTimeout(this.timer);
        if (name === events.name) this.hear(events.read(data));
        else if (name === 'problem' || name === 'overflow') void this.ask();
      }
      this.waitMs = RETRY_FASTEST_MS;
    } catch (error) {
      // The stream was cut, or refused for lack of room. The next poll says what is wrong.
      this.waitMs = error instanceof ApiProblem ? SLOWEST_MS : RETRY_FASTEST_MS;
    } finally {
      clearTimeout(silence);
      this.isListening = false;
      this.hasHeard = false;
    }
    if (!this.stopped.signal.aborted) this.askLater();
  }

  private hear(answer: T | undefined): void {
    if (answer === undefined) void this.ask();
    else this.accept(answer);
  }
}
