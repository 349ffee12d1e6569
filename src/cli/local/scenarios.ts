import type { OnboardingClient } from '../../client/index.js';
import type { FinishAnswer, Outcome, Plan } from '../../contract/index.js';
import type { IncodeSimulator } from '../../testing/index.js';
import type { WorkerProcess } from './worker-process.js';

export interface DemoWorld {
  simulator: IncodeSimulator;
  client: OnboardingClient;
  /** Directory of images that the worker may read. */
  images: string;
  /** Kills the worker process with SIGKILL and starts another. */
  replaceWorker(): Promise<void>;
  worker: WorkerProcess;
}

export interface Scenario {
  name: string;
  session: Parameters<IncodeSimulator['openSession']>[0];
  plan?: Plan;
  /** Prepares a fault before the session starts. */
  before?(world: DemoWorld, interviewId: string): void;
  /** Actions of people while the session runs. */
  during?(world: DemoWorld, interviewId: string): Promise<void>;
  expected: { outcome: Outcome; confirmedBy: FinishAnswer['confirmedBy']; attempts: number };
}

const APPROVED = { action: 'approved', score: { status: 'OK', value: '94.6' } } as const;

/** These run in parallel. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'approved',
    session: APPROVED,
    expected: { outcome: 'approved', confirmedBy: 'response', attempts: 1 },
  },
  {
    name: 'rejected',
    session: { action: 'rejected', score: { status: 'FAIL', value: '12.1' } },
    expected: { outcome: 'rejected', confirmedBy: 'response', attempts: 1 },
  },
  {
    name: 'undecided',
    session: { action: 'none' },
    plan: { score: false },
    expected: { outcome: 'undecided', confirmedBy: 'response', attempts: 1 },
  },
  {
    name: 'outage',
    session: APPROVED,
    before: ({ simulator }, interviewId) =>
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'status', status: 503, times: 2 }),
    expected: { outcome: 'approved', confirmedBy: 'response', attempts: 3 },
  },
  {
    name: 'answer lost on the way',
    session: APPROVED,
    before: ({ simulator }, interviewId) =>
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true }),
    expected: { outcome: 'approved', confirmedBy: 'status', attempts: 2 },
  },
  {
    name: 'token renewed',
    session: APPROVED,
    before: ({ simulator }, interviewId) => simulator.revokeTokens(interviewId),
    during: async ({ simulator, client }, interviewId) => {
      await until(async () => (await client.state(interviewId)).state?.stage === 'needsToken');
      await client.renewToken(interviewId, await simulator.issueToken(interviewId));
    },
    expected: { outcome: 'approved', confirmedBy: 'response', attempts: 2 },
  },
];

/** These depend on webhooks, because the next poll is hours away. */
export const WAITING_SCENARIOS: readonly Scenario[] = [
  {
    name: 'waits for documents and review',
    session: {
      action: 'none',
      score: { status: 'WARN', value: '61.0' },
      processedAfterMs: 1_500,
      manualReview: { verdict: 'APPROVED', afterMs: 1_500 },
    },
    plan: { finishWhen: 'processed', review: 'wait' },
    expected: { outcome: 'approved', confirmedBy: 'response', attempts: 1 },
  },
];

/** These run after the others, because a kill takes the worker away from all sessions. */
export const KILL_SCENARIOS: readonly Scenario[] = [
  {
    name: 'worker killed after Incode finished',
    session: APPROVED,
    before: ({ simulator }, interviewId) =>
      simulator.fault({ operation: 'finishStatus', interviewId, kind: 'hang', effect: true }),
    during: killDuringCall,
    expected: { outcome: 'approved', confirmedBy: 'status', attempts: 2 },
  },
];

/** These stay open, for people who look at the console. */
export const OPEN_SCENARIOS: readonly Pick<Scenario, 'session' | 'plan' | 'before'>[] = [
  { session: APPROVED, before: ({ simulator }, interviewId) => simulator.revokeTokens(interviewId) },
  { session: { action: 'none', score: { status: 'WARN', value: '61.0' } }, plan: { review: 'wait' } },
  { session: APPROVED, plan: { finishWhen: 'asked' } },
];

async function killDuringCall({ simulator, replaceWorker }: DemoWorld, interviewId: string): Promise<void> {
  await until(async () => simulator.effects(interviewId).finished > 0);
  await replaceWorker();
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 50));
}
