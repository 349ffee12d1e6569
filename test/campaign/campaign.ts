import { setTimeout as sleep } from 'node:timers/promises';
import { BatchRunner } from './batches.js';
import { drain, heal, helpWaiting } from './drain.js';
import { collect } from './evidence.js';
import { endedByItself, violations } from './invariants.js';
import { People } from './people.js';
import { PeopleRunner } from './people-lists.js';
import type { Evidence, Violation } from './record.js';
import { type ScheduleOptions, scheduleOf } from './schedule.js';
import { Sessions } from './sessions.js';
import type { Action, PlannedPerson, Schedule } from './types.js';
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
  options: ScheduleOptions,
  log: (entry: object) => void = () => undefined,
): Promise<Campaign> {
  const schedule = scheduleOf(options);
  const problems: string[] = [];
  const world = await CampaignWorld.start({
    tokenSource: schedule.tokenSource,
    server: options.server ?? 'local',
    seed: options.seed,
    upgradeFrom: options.upgradeFrom,
    onEnd: (who, code, wasReady) => {
      log({ ended: who, code, wasReady });
      problems.push(...endedByItself(who, code, wasReady));
    },
  });
  let found: Violation[] | undefined;
  try {
    const play = new Play(schedule, world, problems, log);
    await play.performWithHelp();
    const open = await play.end();
    log({ drained: open.length === 0, open });
    const { interruptions } = play.upheavals;
    const evidence = await collect(world, play, { tokenSource: schedule.tokenSource, problems, interruptions });
    found = violations(evidence);
    const { happened } = play.upheavals;
    const taken = world.simulator.deliveries.filter(({ accepted }) => accepted).length;
    return { schedule, evidence, violations: found, happened, taken, directory: world.directory };
  } finally {
    await world.stop({ keepLogs: found?.length !== 0 });
  }
}

const LATE_MS = 100;

/** The limit for draining after the last action, far above what a session takes. A cluster needs more of the same processors. */
const END_WITHIN_MS = { local: 300_000, existing: 300_000, cluster: 900_000 };

class Play {
  readonly sessions: Sessions;
  readonly people: People;
  readonly batches: BatchRunner[];
  readonly lists: PeopleRunner[];
  private readonly planned: Map<string, PlannedPerson>;
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
    const planned = [...schedule.people, ...schedule.lists.flatMap(({ people }) => people)];
    this.planned = new Map(planned.map((person) => [person.reference, person]));
    this.sessions = new Sessions(world, this.planned);
    this.people = new People(world, this.sessions);
    this.batches = schedule.batches.map((batch) => new BatchRunner(batch, world, this.sessions));
    this.lists = schedule.lists.map((list) => new PeopleRunner(list, world, this.people, () => this.sessions.isOver));
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
    const helping = helpWaiting(this.world, this, this.log, performed.signal);
    await this.perform();
    performed.abort();
    await helping;
  }

  /** @returns the ids that have not ended in time */
  async end(): Promise<string[]> {
    const until = Date.now() + END_WITHIN_MS[this.world.server.kind];
    await this.settled((action) => action.to === 'world', until);
    heal(this.world, this);
    this.sessions.isOver = true;
    const runners = [...this.batches, ...this.lists];
    // One after the other, a hundred lists would use up the time in which everything has to end.
    const resume = async (runner: (typeof runners)[number]) =>
      this.log({ drain: runner.batchId, resume: await runner.say('resume', 0) });
    await Promise.all(runners.map(resume));
    const open = await drain(this.world, this, until, this.log);
    await this.settled(() => true, until);
    for (const { to, ...action } of this.underWay.values())
      this.problems.push(`never returned: ${JSON.stringify({ to, ...action })}`);
    this.problems.push(...runners.flatMap(({ batchId, problems }) => problems.map((what) => `${batchId}: ${what}`)));
    for (const runner of runners) runner.abandon();
    // Waits for what the last calls started.
    return [...open, ...(await drain(this.world, this, until, this.log))];
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
        const runner = [...this.batches, ...this.lists].find(({ batchId }) => batchId === action.batchId);
        return runner ? runner.say(action.kind, action.choice) : 'unknown';
      }
      case 'person': {
        const person = this.planned.get(action.reference);
        return person ? this.people.say(person, action.kind, action.choice) : 'unknown';
      }
    }
  }
}
