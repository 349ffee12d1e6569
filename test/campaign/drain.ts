import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionStatus } from 'temporal-incode/client';
import { milestoneOf, ONBOARDING_WORKFLOW, onboardingWorkflowId } from '../../src/contract/index.js';
import type { Sessions } from './sessions.js';
import { SECRET_MARKS } from './types.js';
import type { CampaignWorld } from './world.js';

/** A call that waits for longer is repeated by an operator: what is left of a minute's wait shows nothing new. */
const PATIENCE_MS = 4_000;

/** The retry policies' longest interval, and a moment. What waits for longer would wait for ever, for all we know. */
const LONGEST_RETRY_MS = 125_000;

/** So that one that does not answer holds nobody up. */
const AT_A_TIME = 8;

/** Everything is healthy again. */
export function heal(world: CampaignWorld): void {
  world.simulator.clearFaults();
  world.simulator.setApiKeys([SECRET_MARKS.apiKey]);
  world.simulator.setRateLimit(null);
  world.simulator.setWebhook(world.webhook);
  world.mendKeysFile();
  for (const each of [...world.workers, world.receiver]) each.start();
}

type Log = (entry: object) => void;

/** Gives each session that waits for somebody what it waits for. @returns ids of those that have not ended in time */
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

/** Long enough for kills, faults and webhooks while it waits. */
const HELPED_AFTER_MS = 30_000;

/**
 * Helps those that have waited for long, until told that it is over: of a long campaign ever more would wait, each is looked at
 * every few seconds, and the machine would do little else.
 */
export async function helpMeanwhile(
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
    const given = state ? await helpWith(world, sessions, state, helped).catch((error: Error) => error.name) : null;
    if (given) log({ drain: interviewId, help: given });
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
  // Whether it is paused is not told.
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
