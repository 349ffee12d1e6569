import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionStatus } from 'temporal-incode/client';
import { ONBOARDING_WORKFLOW, onboardingWorkflowId } from '../../src/contract/index.js';
import { milestoneOf } from '../../src/contract/milestones.js';
import type { Sessions } from './sessions.js';
import { SECRET_MARKS } from './types.js';
import type { CampaignWorld } from './world.js';

/** Calls that wait for longer are retried by the campaign, like an operator, because a long wait shows nothing new. */
const PATIENCE_MS = 4_000;

/** Slightly above the longest retry interval. A session that waits for longer counts as stuck. */
const LONGEST_RETRY_MS = 125_000;

/** Limits calls that do not answer. */
const AT_A_TIME = 8;

/** Restores every process and ends all faults. */
export function heal(world: CampaignWorld): void {
  world.simulator.clearFaults();
  world.simulator.setApiKeys([SECRET_MARKS.apiKey]);
  world.simulator.setRateLimit(null);
  world.simulator.setWebhook(world.webhook);
  world.restoreKeysFile();
  for (const each of [...world.workers, world.receiver]) each.start();
}

type Log = (entry: object) => void;

/** Gives each waiting session what it waits for. @returns the ids of sessions that have not ended in time */
export async function drain(world: CampaignWorld, sessions: Sessions, until: number, log: Log): Promise<string[]> {
  const helped = new Set<string>();
  for (;;) {
    const running = await runningSessions(world).catch(() => null);
    if (running?.length === 0) return [];
    if (Date.now() > until) return running ?? ['unknown: the server does not answer'];
    await helpAll(world, sessions, running ?? [], helped, log);
    await sleep(500);
  }
}

/** Long enough for kills, faults and webhooks while a session waits. */
const HELPED_AFTER_MS = 30_000;

/**
 * Helps sessions that have waited for long, until the campaign ends. In a long campaign more and more sessions would wait, and reading
 * their states would keep the machine busy.
 */
export async function helpWaitingSessions(
  world: CampaignWorld,
  sessions: Sessions,
  log: Log,
  isOver: AbortSignal,
): Promise<void> {
  while (!isOver.aborted) {
    const before = new Date(Date.now() - HELPED_AFTER_MS);
    const running = await runningSessions(world, ` AND StartTime < "${before.toISOString()}"`).catch(() => []);
    await helpAll(world, sessions, running, new Set(), log, isOver);
    await sleep(5_000, undefined, { signal: isOver }).catch(() => undefined);
  }
}

async function helpAll(
  world: CampaignWorld,
  sessions: Sessions,
  running: string[],
  helped: Set<string>,
  log: Log,
  isOver?: AbortSignal,
): Promise<void> {
  const help = async (interviewId: string) => {
    const state = await world.onboarding.state(interviewId).catch(() => null);
    const help = state ? await helpWith(world, sessions, state, helped).catch((error: Error) => error.name) : null;
    if (help) log({ drain: interviewId, help });
  };
  const left = [...running];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined && !isOver?.aborted; id = left.pop()) await help(id);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

async function runningSessions({ onboarding }: CampaignWorld, which = ''): Promise<string[]> {
  const running: string[] = [];
  const query = `WorkflowType = "${ONBOARDING_WORKFLOW}" AND ExecutionStatus = "Running"${which}`;
  for await (const { workflowId } of onboarding.temporal.workflow.list({ query }))
    running.push(workflowId.slice(onboardingWorkflowId('').length));
  return running;
}

async function helpWith(
  world: CampaignWorld,
  sessions: Sessions,
  { interviewId, state, call, status }: SessionStatus,
  helped: Set<string>,
): Promise<string | null> {
  const { onboarding, simulator } = world;
  if (status !== 'running') return null;
  const once = (what: string) => {
    const key = `${interviewId} ${what}`;
    if (helped.has(key)) return false;
    helped.add(key);
    return true;
  };
  // The query does not say whether the shard is paused.
  if (call && once('unpause')) await operate(world, interviewId, 'unpause');
  const waitsFor = call?.nextAttemptAt ? call.nextAttemptAt.getTime() - Date.now() : 0;
  if (call && waitsFor > LONGEST_RETRY_MS && once('waits'))
    sessions.recordOf(interviewId).problems.push(`${call.activity} waits ${waitsFor} ms for its next attempt`);
  if (waitsFor > PATIENCE_MS && call?.lastFailure) {
    await operate(world, interviewId, 'reset');
    return `resetActivity ${call.activity}`;
  }
  const incode = simulator.session(interviewId);
  switch (state?.stage) {
    case 'needsToken':
      await onboarding.renewToken(interviewId, await simulator.issueToken(interviewId));
      return 'renewToken';
    case 'waiting':
      if (sessions.recordOf(interviewId).session.plan.finishWhen === 'asked') {
        await onboarding.finish({ interviewId }, { timeoutMs: 1_000 });
        return 'finish';
      }
      if (milestoneOf(incode.onboardingStatus) !== 'open' || !once('processed')) return null;
      simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
      return 'processed';
    case 'inReview':
      if (milestoneOf(incode.onboardingStatus) === 'reviewed' || !once('verdict')) return null;
      sessions.recordOf(interviewId).verdict = true;
      simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
      return 'verdict';
    default:
      return null;
  }
}

async function operate({ onboarding }: CampaignWorld, interviewId: string, what: 'unpause' | 'reset'): Promise<void> {
  const { workflowService, options } = onboarding.temporal;
  const request = {
    namespace: options.namespace,
    execution: { workflowId: onboardingWorkflowId(interviewId) },
    identity: 'campaign',
  };
  if (what === 'unpause') await workflowService.unpauseActivity({ ...request, unpauseAll: true });
  else await workflowService.resetActivity({ ...request, matchAll: true });
}
