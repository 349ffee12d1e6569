import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionStatus } from 'temporal-incode/client';
import { type PendingCall, pendingCall } from '../../src/client/pending-call.js';
import {
  CAPTURE_WORKFLOW,
  captureWorkflowId,
  ONBOARDING_WORKFLOW,
  onboardingWorkflowId,
} from '../../src/contract/index.js';
import { milestoneOf } from '../../src/contract/milestones.js';
import type { People } from './people.js';
import type { Sessions } from './sessions.js';
import { SECRET_MARKS } from './types.js';
import type { CampaignWorld } from './world.js';

/** Calls that wait for longer are retried by the campaign, like an operator, because a long wait shows nothing new. */
const PATIENCE_MS = 4_000;

/** Slightly above the longest retry interval. A session that waits for longer counts as stuck. */
const LONGEST_RETRY_MS = 125_000;

/** Limits calls that do not answer. */
const AT_A_TIME = 8;

/** Those who may need help. */
export interface Helped {
  sessions: Sessions;
  people: People;
}

/** Restores every process and image, and ends all faults. */
export function heal(world: CampaignWorld, { people }: Helped): void {
  people.images.restoreAll();
  world.simulator.clearFaults();
  world.simulator.setApiKeys([SECRET_MARKS.apiKey]);
  world.simulator.setRateLimit(null);
  world.setWebhooks(world.webhook);
  world.restoreKeysFile();
  for (const proxy of world.proxies) proxy.mend();
  for (const each of [...world.workers, world.receiver]) each.start();
}

type Log = (entry: object) => void;

/** A node that was just restarted lists its workflows late. */
const VISIBLE_WITHIN_MS = { local: 0, cluster: 5_000, existing: 5_000 };

/** Gives everybody who waits what they wait for. @returns the ids of workflows that have not ended in time */
export async function drain(world: CampaignWorld, all: Helped, until: number, log: Log): Promise<string[]> {
  const helped = new Set<string>();
  let idleSince: number | null = null;
  for (;;) {
    const running = await runningWorkflows(world).catch(() => null);
    const isIdle = running?.length === 0;
    idleSince = isIdle ? (idleSince ?? Date.now()) : null;
    if (idleSince !== null && Date.now() - idleSince >= VISIBLE_WITHIN_MS[world.server.kind]) return [];
    if (Date.now() > until) return running ?? ['unknown: the server does not answer'];
    await helpAll(world, all, running ?? [], helped, log);
    await sleep(500);
  }
}

/** Long enough for kills, faults and webhooks while a session waits. */
const HELPED_AFTER_MS = 30_000;

/**
 * Helps those who have waited for long, until the campaign ends. In a long campaign more and more would wait, and reading their states would
 * keep the machine busy.
 */
export async function helpWaiting(world: CampaignWorld, all: Helped, log: Log, isOver: AbortSignal): Promise<void> {
  while (!isOver.aborted) {
    const before = new Date(Date.now() - HELPED_AFTER_MS);
    const running = await runningWorkflows(world, ` AND StartTime < "${before.toISOString()}"`).catch(() => []);
    await helpAll(world, all, running, new Set(), log, isOver);
    await sleep(5_000, undefined, { signal: isOver }).catch(() => undefined);
  }
}

async function helpAll(
  world: CampaignWorld,
  all: Helped,
  running: string[],
  helped: Set<string>,
  log: Log,
  isOver?: AbortSignal,
): Promise<void> {
  const help = async (workflowId: string) => {
    const help = await helpOne(world, all, workflowId, helped).catch((error: Error) => error.name);
    if (help) log({ drain: workflowId, help });
  };
  const left = [...running];
  const lane = async () => {
    for (let id = left.pop(); id !== undefined && !isOver?.aborted; id = left.pop()) await help(id);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
}

/** @returns the workflow ids of sessions and people */
async function runningWorkflows({ onboarding }: CampaignWorld, which = ''): Promise<string[]> {
  const running: string[] = [];
  const types = `WorkflowType IN ("${ONBOARDING_WORKFLOW}", "${CAPTURE_WORKFLOW}")`;
  const query = `${types} AND ExecutionStatus = "Running"${which}`;
  for await (const { workflowId } of onboarding.temporal.workflow.list({ query })) running.push(workflowId);
  return running;
}

async function helpOne(
  world: CampaignWorld,
  { sessions, people }: Helped,
  workflowId: string,
  helped: Set<string>,
): Promise<string | null> {
  const reference = workflowId.startsWith(captureWorkflowId('')) && workflowId.slice(captureWorkflowId('').length);
  if (reference) return helpPerson(world, people, reference, helped);
  const interviewId = workflowId.slice(onboardingWorkflowId('').length);
  const state = await world.onboarding.state(interviewId).catch(() => null);
  return state ? helpWith(world, sessions, state, helped) : null;
}

async function helpPerson(
  world: CampaignWorld,
  people: People,
  reference: string,
  helped: Set<string>,
): Promise<string | null> {
  const record = people.records.get(reference);
  if (!record) return 'unknown';
  const { temporal } = world.onboarding;
  const call = await pendingCall(temporal, await people.handle(reference).describe());
  const reset = call && (await helpWithCall(world, captureWorkflowId(reference), call, record, helped));
  if (!reset) return people.helpWithImages(record);
  record.operatedAt.push(Date.now());
  return reset;
}

/** Unpauses a call, and resets it if its next attempt is far away. @returns whether it was reset, in words */
async function helpWithCall(
  world: CampaignWorld,
  workflowId: string,
  call: PendingCall,
  { problems }: { problems: string[] },
  helped: Set<string>,
): Promise<string | null> {
  const once = (what: string) => isNew(helped, `${workflowId} ${what}`);
  // The query does not say whether the shard is paused.
  if (once('unpause')) await operate(world, workflowId, 'unpause');
  const waitsFor = call.nextAttemptAt ? call.nextAttemptAt.getTime() - Date.now() : 0;
  if (waitsFor > LONGEST_RETRY_MS && once('waits'))
    problems.push(`${call.activity} waits ${waitsFor} ms for its next attempt`);
  if (waitsFor <= PATIENCE_MS || !call.lastFailure) return null;
  await operate(world, workflowId, 'reset');
  return `resetActivity ${call.activity}`;
}

function isNew(known: Set<string>, key: string): boolean {
  if (known.has(key)) return false;
  known.add(key);
  return true;
}

async function helpWith(
  world: CampaignWorld,
  sessions: Sessions,
  { interviewId, state, call, status }: SessionStatus,
  helped: Set<string>,
): Promise<string | null> {
  const { onboarding, simulator } = world;
  if (status !== 'running') return null;
  const record = sessions.recordOf(interviewId);
  const once = (what: string) => isNew(helped, `${interviewId} ${what}`);
  const reset = call && (await helpWithCall(world, onboardingWorkflowId(interviewId), call, record, helped));
  if (reset) return reset;
  const incode = simulator.session(interviewId);
  switch (state?.stage) {
    case 'needsToken':
      await onboarding.renewToken(interviewId, await simulator.issueToken(interviewId));
      return 'renewToken';
    case 'waiting':
      if (record.session.plan.finishWhen === 'asked') {
        await onboarding.finish({ interviewId }, { timeoutMs: 1_000 });
        return 'finish';
      }
      if (milestoneOf(incode.onboardingStatus) !== 'open' || !once('processed')) return null;
      simulator.setOnboardingStatus(interviewId, 'POST_PROCESSING_FINISHED');
      return 'processed';
    case 'inReview':
      if (milestoneOf(incode.onboardingStatus) === 'reviewed' || !once('verdict')) return null;
      record.verdict = true;
      simulator.setOnboardingStatus(interviewId, 'MANUAL_REVIEW_APPROVED');
      return 'verdict';
    default:
      return null;
  }
}

async function operate({ onboarding }: CampaignWorld, workflowId: string, what: 'unpause' | 'reset'): Promise<void> {
  const { workflowService, options } = onboarding.temporal;
  const request = { namespace: options.namespace, execution: { workflowId }, identity: 'campaign' };
  if (what === 'unpause') await workflowService.unpauseActivity({ ...request, unpauseAll: true });
  else await workflowService.resetActivity({ ...request, matchAll: true });
}
