import { setTimeout as sleep } from 'node:timers/promises';
import { BatchRunner } from './batches.js';
import { drain, heal, helpWaitingSessions } from './drain.js';
import { collect } from './evidence.js';
import { endedByItself, violations } from './invariants.js';
import type { Evidence, Violation } from './record.js';
import { scheduleOf } from './schedule.js';
import { Sessions } from './sessions.js';
import type { Action, Schedule } from './types.js';
import { Upheavals } from './upheavals.js';
import { CampaignWorld } from './world.js';

export interface Campaign {
  schedule: Schedule;
  evidence: Evidence;
  violations: Violation[];
  /** The kinds of faults that happened to processes. */
  happened: string[];
  /** The number of webhooks that the receiver accepted. */
  taken: number;
  /** The directory with the logs of all processes, if there are violations. */
  directory: string;
}

/** Runs a seed's schedule against a real server, real processes and a simulated Incode, and checks all invariants. */
export async function runCampaign(
  options: { seed: number; seconds: number },
  log: (entry: object) => void = () => undefined,
): Promise<Campaign> {
  const schedule = scheduleOf(options);
  const problems: string[] = [];
  const world = await CampaignWorld.start(schedule.tokenSource, (who, code, wasReady) => {
    log({ ended: who, code, wasReady });
    problems.push(...endedByItself(who, code, wasReady));
  });
  let found: Violation[] | undefined;
  try {
    const play = new Play(schedule, world, problems, log);
    await play.performWithHelp();
    const open = await play.end();
    log({ drained: open.length === 0, open });
    const evidence = await collect(world, play.sessions, play.batches, { tokenSource: schedule.tokenSource, problems });
    found = violations(evidence);
    const { happened } = play.upheavals;
    const taken = world.simulator.deliveries.filter(({ accepted }) => accepted).length;
    return { schedule, evidence, violations: found, happened, taken, directory: world.directory };
  } finally {
    await world.stop({ keepLogs: found?.length !== 0 });
  }
}

const LATE_MS = 100;

/** The limit for draining after the last action, far above what a session takes. */
const END_WITHIN_MS = 300_000;

class Play {
  readonly sessions: Sessions;
  readonly batches: BatchRunner[];
  private readonly schedule: Schedule;
  private readonly world: CampaignWorld;
  private readonly problems: string[];
  private readonly log: (entry: object) => void;
  readonly upheavals: Upheavals;
  private readonly underWay = new Map<Promise<void>, Action>();

  constructor(schedule: Schedule, world: CampaignWorld, problems: string[], log: (entry: object) => void) {
    this.schedule = schedule;
    this.world = world;
    this.problems = problems;
    this.log = log;
    this.sessions = new Sessions(world);
    this.batches = schedule.batches.map((batch) => new BatchRunner(batch, world, this.sessions));
    this.upheavals = new Upheavals(world);
  }

  private async perform(): Promise<void> {
    let begunAt = Date.now();
    for (const action of this.schedule.actions) {
      await sleep(Math.max(0, begunAt + action.atMs - Date.now()));
      // On a slow machine actions come later, but not all at once.
      begunAt += Math.max(0, Date.now() - begunAt - action.atMs - LATE_MS);
      const work = this.act(action, begunAt).finally(() => this.underWay.delete(work));
      this.underWay.set(work, action);
    }
  }

  async performWithHelp(): Promise<void> {
    const performed = new AbortController();
    const helping = helpWaitingSessions(this.world, this.sessions, this.log, performed.signal);
    await this.perform();
    performed.abort();
    await helping;
  }

  /** @returns the ids that have not ended in time */
  async end(): Promise<string[]> {
    const until = Date.now() + END_WITHIN_MS;
    await this.settled((action) => action.to === 'world', until);
    heal(this.world);
    this.sessions.isOver = true;
    for (const runner of this.batches) this.log({ drain: runner.batch.batchId, resume: await runner.say('resume', 0) });
    const open = await drain(this.world, this.sessions, until, this.log);
    await this.settled(() => true, until);
    for (const { to, ...action } of this.underWay.values())
      this.problems.push(`never returned: ${JSON.stringify({ to, ...action })}`);
    this.problems.push(
      ...this.batches.flatMap(({ batch, problems }) => problems.map((what) => `${batch.batchId}: ${what}`)),
    );
    // Waits for what the last calls started.
    return [...open, ...(await drain(this.world, this.sessions, until, this.log))];
  }

  private async settled(which: (action: Action) => boolean, until: number): Promise<void> {
    const works = [...this.underWay].filter(([, action]) => which(action)).map(([work]) => work);
    await Promise.race([Promise.all(works), sleep(until - Date.now(), undefined, { ref: false })]);
  }

  private async act(action: Action, begunAt: number): Promise<void> {
    const { atMs, ...what } = action;
    this.log({ atMs, ...what });
    let result: string;
    try {
      result = await this.done(action);
    } catch (error) {
      const { name, message } = error as Error;
      result = name;
      this.problems.push(`${action.to} ${action.kind}: ${name}: ${message}`);
    }
    this.log({ atMs, endedMs: Date.now() - begunAt, ...what, result });
  }

  private async done(action: Action): Promise<string> {
    switch (action.to) {
      case 'world':
        return this.upheavals.happen(action);
      case 'session': {
        const session = this.schedule.sessions.find(({ interviewId }) => interviewId === action.interviewId);
        return session ? this.sessions.say(session, action.kind, action.choice) : 'unknown';
      }
      case 'batch': {
        const runner = this.batches.find(({ batch }) => batch.batchId === action.batchId);
        return runner ? runner.say(action.kind, action.choice) : 'unknown';
      }
    }
  }
}
