import { polledProgress, type ShardCounts } from '../client/batch/status.js';
import type { OnboardingClient } from '../client/index.js';
import { type ListedSession, listedSession } from '../client/list/listed.js';
import { listPage } from '../client/list/page.js';
import { queryFor } from '../client/list/query.js';
import { problemOf } from './problems.js';
import { sessionView } from './views.js';

/** What a listener hears of. Without both, of every session. */
export interface Topic {
  interviewId?: string;
  batchId?: string;
}

export interface Listener extends Topic {
  send(event: EventName, data: string): void;
}

export type EventName = 'ready' | 'session' | 'state' | 'batch' | 'overflow' | 'problem';

/** Changes reach a listener after about this time. */
const POLL_MS = 2_000;

/** While Temporal is away, it is asked less often. */
const RETRY_MS = 5_000;

/** Sessions in one list. Changes of further open sessions are seen when they end. */
const MAX_SESSIONS = 1_000;

/** How far back a poll looks for sessions that have ended, because Temporal lists them with a delay. */
const OVERLAP_MS = 15_000;

/** Asks Temporal on behalf of all listeners, so that its load does not grow with their number. It asks only while somebody listens. */
export class Feed {
  private readonly client: OnboardingClient;
  private readonly listeners = new Set<Listener>();
  /** What was sent last, by topic. */
  private readonly sent = new Map<string, Message>();
  private readonly shards = new Map<string, ShardCounts>();
  private listed: Map<string, string> | undefined;
  private listedAt: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isPolling = false;

  constructor(client: OnboardingClient) {
    this.client = client;
  }

  get size(): number {
    return this.listeners.size;
  }

  /** @returns how many different sessions and batches are watched with this one */
  topicsWith({ interviewId, batchId }: Topic): number {
    const sessions = new Set([...this.watched('interviewId'), ...(interviewId === undefined ? [] : [interviewId])]);
    const batches = new Set([...this.watched('batchId'), ...(batchId === undefined ? [] : [batchId])]);
    return sessions.size + batches.size;
  }

  /** @returns a function that ends it */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    listener.send('ready', '{}');
    for (const name of ['interviewId', 'batchId'] as const) {
      const id = listener[name];
      // A session may be named undefined.
      const known = id === undefined ? undefined : this.sent.get(`${name} ${id}`);
      if (known !== undefined) listener.send(known.event, known.data);
    }
    if (!this.isPolling && this.timer === undefined) void this.poll();
    return () => this.leave(listener);
  }

  private leave(listener: Listener): void {
    this.listeners.delete(listener);
    for (const name of ['interviewId', 'batchId'] as const) {
      const id = listener[name];
      if (id === undefined || this.watched(name).includes(id)) continue;
      this.sent.delete(`${name} ${id}`);
      if (name === 'batchId') this.shards.delete(id);
    }
    if (this.ofAll().length === 0) this.forgetList();
    if (this.listeners.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The next listener to all sessions begins with the sessions as they are then. */
  private forgetList(): void {
    this.listed = undefined;
    this.listedAt = undefined;
  }

  private async poll(): Promise<void> {
    this.timer = undefined;
    this.isPolling = true;
    const polls = [
      ...(this.ofAll().length > 0 ? [this.pollSessions()] : []),
      ...this.watched('interviewId').map((id) => this.pollSession(id)),
      ...this.watched('batchId').map((id) => this.pollBatch(id)),
    ];
    const hasFailed = (await Promise.allSettled(polls)).some(({ status }) => status === 'rejected');
    this.isPolling = false;
    if (this.listeners.size === 0) return;
    this.timer = setTimeout(() => void this.poll(), hasFailed ? RETRY_MS : POLL_MS).unref();
  }

  private async pollSessions(): Promise<void> {
    try {
      const { sessions: listed, isCut } = await this.list();
      // The last listener may have left meanwhile.
      if (this.ofAll().length === 0) return this.forgetList();
      const before = this.listed;
      this.listed = new Map(listed.map((session) => [session.workflowId, JSON.stringify(session)]));
      if (!before) return;
      for (const [id, text] of this.listed) {
        if (before.get(id) === text) continue;
        for (const listener of this.ofAll()) listener.send('session', text);
      }
      if (isCut) for (const listener of this.ofAll()) listener.send('overflow', '{}');
    } catch (error) {
      for (const listener of this.ofAll()) listener.send('problem', problemMessage(error).data);
      throw error;
    }
  }

  /**
   * Lists the open sessions, newest first, and the sessions that ended within the last seconds.
   *
   * @returns `isCut` if more have ended since the last poll than one list has
   */
  private async list(): Promise<{ sessions: ListedSession[]; isCut: boolean }> {
    const { temporal } = this.client;
    const startedAt = Date.now();
    const since = new Date((this.listedAt ?? startedAt) - OVERLAP_MS).toISOString();
    const pages = await Promise.all([
      listPage(temporal, queryFor({ status: 'open' }), { limit: MAX_SESSIONS }),
      listPage(temporal, `${queryFor({ status: 'closed' })} AND CloseTime > '${since}'`, { limit: MAX_SESSIONS }),
    ]);
    this.listedAt = startedAt;
    return { sessions: pages.flatMap(({ items }) => items.map(listedSession)), isCut: pages[1].cursor !== null };
  }

  private async pollSession(interviewId: string): Promise<void> {
    await this.pollOne('state', 'interviewId', interviewId, async () =>
      // Without a caller: listeners may have other scopes than the one who asked first.
      sessionView(await this.client.state(interviewId), undefined),
    );
  }

  private async pollBatch(batchId: string): Promise<void> {
    const known: ShardCounts = this.shards.get(batchId) ?? new Map();
    this.shards.set(batchId, known);
    await this.pollOne('batch', 'batchId', batchId, () => polledProgress(this.client, batchId, known));
  }

  private async pollOne(event: EventName, name: keyof Topic, id: string, ask: () => Promise<unknown>): Promise<void> {
    const listeners = () => [...this.listeners].filter((listener) => listener[name] === id);
    const key = `${name} ${id}`;
    const tell = (message: Message) => {
      if (this.sent.get(key)?.data === message.data || listeners().length === 0) return;
      this.sent.set(key, message);
      for (const listener of listeners()) listener.send(message.event, message.data);
    };
    try {
      tell({ event, data: JSON.stringify(await ask()) });
    } catch (error) {
      tell(problemMessage(error));
      if (isAway(error)) throw error;
    }
  }

  private ofAll(): Listener[] {
    return [...this.listeners].filter(({ interviewId, batchId }) => interviewId === undefined && batchId === undefined);
  }

  private watched(name: keyof Topic): string[] {
    return [...new Set([...this.listeners].flatMap((listener) => listener[name] ?? []))];
  }
}

interface Message {
  event: EventName;
  data: string;
}

function problemMessage(error: unknown): Message {
  return { event: 'problem', data: JSON.stringify(problemOf(error).problem) };
}

/** Not for what concerns one topic only, such as a session that is not known. */
function isAway(error: unknown): boolean {
  return problemOf(error).problem.status >= 500;
}
