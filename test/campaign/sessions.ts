import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import {
  type ConnectedOnboardingClient,
  SessionCompletedError,
  TemporalUnavailableError,
} from 'temporal-incode/client';
import {
  type OnboardingInput,
  onboardingWorkflowId,
  referenceOf,
  resolveCapturePlan,
} from '../../src/contract/index.js';
import type { SessionSpec } from '../../src/testing/index.js';
import { newRecord, type SessionRecord } from './record.js';
import {
  type PlannedPerson,
  type PlannedSession,
  RESET_REASON,
  type SessionAction,
  type SimulatedOutcome,
  TIME_SCALE,
} from './types.js';
import type { CampaignWorld } from './world.js';

/** The documented errors of each method of the client. */
const TOLD = [
  ...['AnswerPendingError', 'SessionCompletedError', 'SessionEndedError', 'SessionFailedError'],
  ...['SessionNotFoundError', 'TemporalUnavailableError', 'WrongStageError'],
];

/** Opens sessions at Incode, sends the scheduled messages to their onboardings, and records what they allow. */
export class Sessions {
  readonly records = new Map<string, SessionRecord>();
  private readonly world: CampaignWorld;
  private readonly tokens = new Map<string, Promise<string>>();
  private readonly people: ReadonlyMap<string, PlannedPerson>;
  /** Starts are not retried any more. */
  isOver = false;

  /** @param people whose workflows open sessions, by reference */
  constructor(world: CampaignWorld, people: ReadonlyMap<string, PlannedPerson>) {
    this.world = world;
    this.people = people;
  }

  /** Opens the session on the first call. @returns its token */
  open(session: PlannedSession, by: SessionRecord['by']): Promise<string> {
    const { interviewId, faults, spec, token } = session;
    const known = this.tokens.get(interviewId);
    if (known) return known;
    this.records.set(interviewId, newRecord(session, by));
    for (const fault of faults) this.world.simulator.fault(fault);
    const { simulator } = this.world;
    const opening = simulator.openSession(spec).then((opened) => {
      // The client would refuse an expired token.
      if (token === 'revoked') simulator.revokeTokens(interviewId);
      return opened.token;
    });
    this.tokens.set(interviewId, opening);
    return opening;
  }

  async input(session: PlannedSession): Promise<OnboardingInput> {
    const { interviewId, plan, token, spec } = session;
    const sessionToken = await this.open(session, 'single');
    return {
      interviewId,
      plan,
      ...(token === 'none' ? {} : { sessionToken }),
      ...(spec.flowId ? { flowId: spec.flowId } : {}),
    };
  }

  /** @returns the result in a word */
  async say(session: PlannedSession, kind: SessionAction, choice: number): Promise<string> {
    const input = await this.input(session);
    const record = this.recordOf(session.interviewId);
    try {
      return (await this.perform(input, record, kind, choice)) ?? 'done';
    } catch (error) {
      const { name } = error as Error;
      const isRaw = isGrpcServiceError(error) || name === 'WorkflowNotFoundError';
      if (!TOLD.includes(name) && !(isRaw && RAW.includes(kind))) record.problems.push(`${kind}: ${describe(error)}`);
      return isGrpcServiceError(error) ? `${name} ${error.code}: ${error.details}` : name;
    }
  }

  /** @returns the record, which begins here for a session that a person's workflow has opened */
  recordOf(interviewId: string): SessionRecord {
    const known = this.records.get(interviewId);
    if (known) return known;
    const { externalCustomerId } = this.world.simulator.session(interviewId);
    const person = this.people.get(referenceOf(externalCustomerId ?? '') ?? '');
    if (!person) throw new Error(`${interviewId} was never opened`);
    const record = newRecord(sessionOf(person, interviewId), 'person');
    this.records.set(interviewId, record);
    return record;
  }

  private async perform(
    input: OnboardingInput,
    record: SessionRecord,
    kind: SessionAction,
    choice: number,
  ): Promise<string | undefined> {
    const { interviewId } = input;
    const { onboarding, simulator } = this.world;
    switch (kind) {
      case 'start':
        return this.start(input, record, 'refuse');
      case 'startAgain':
        return this.start(input, record, choice < 0.5 ? 'refuse' : 'return');
      case 'restart':
        record.repeated = true;
        return this.start(input, record, 'restart');
      case 'finish':
        return this.finish(input, record, choice);
      case 'renewToken':
        await onboarding.renewToken(interviewId, await simulator.issueToken(interviewId));
        return;
      case 'expireToken':
        simulator.revokeTokens(interviewId);
        return;
      case 'extendDeadline':
        await onboarding.extendDeadline(interviewId, `${1 + Math.floor(choice * 4)}s`);
        return;
      case 'statusChanged':
        return onboarding.statusChanged({ interviewId, ...this.status(interviewId) });
      case 'repeatWebhook':
        return this.repeatWebhook(interviewId, choice);
      case 'askState':
        return (await onboarding.state(interviewId)).status;
      case 'cancel':
        record.cancelled = true;
        await onboarding.cancel(interviewId);
        return;
      case 'terminate':
        record.terminated = true;
        await onboarding.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).terminate('campaign');
        return;
      case 'resetWorkflow':
        record.repeated = true;
        return resetWorkflow(this.world, onboardingWorkflowId(interviewId), choice);
      case 'resetActivity':
      case 'pauseActivity':
      case 'unpauseActivity':
        return this.operate(interviewId, kind, choice);
      default:
        return kind satisfies never;
    }
  }

  /** Retries the start, like a caller, until the server has confirmed it. */
  private async start(input: OnboardingInput, record: SessionRecord, ifCompleted: 'refuse' | 'return' | 'restart') {
    for (;;) {
      try {
        const { attached } = await this.world.onboarding.start(input, { ifCompleted });
        record.acknowledged = true;
        return attached ? 'attached' : 'started';
      } catch (error) {
        if (error instanceof SessionCompletedError) record.acknowledged = true;
        if (!(error instanceof TemporalUnavailableError) || this.isOver) throw error;
        await sleep(200);
      }
    }
  }

  private async finish(input: OnboardingInput, record: SessionRecord, choice: number): Promise<string> {
    try {
      const answer = await this.world.onboarding.finish(input, { timeoutMs: 500 + choice * 8_000 });
      record.acknowledged = true;
      record.answers.push(answer);
      return JSON.stringify(answer?.confirmedBy ?? null);
    } catch (error) {
      if (['AnswerPendingError', 'SessionFailedError'].includes((error as Error).name)) record.acknowledged = true;
      throw error;
    }
  }

  /** Repeats an earlier status, as Incode's retries do, even after the next status. */
  private async repeatWebhook(interviewId: string, choice: number): Promise<string> {
    const { url, headers } = this.world.webhook;
    const earlier = this.world.simulator.deliveries.filter((delivery) => delivery.interviewId === interviewId);
    const { onboardingStatus } = earlier[Math.floor(choice * earlier.length)] ?? this.status(interviewId);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ interviewId, onboardingStatus }),
    }).catch(() => undefined);
    if (response && ![200, 503].includes(response.status)) {
      this.recordOf(interviewId).problems.push(`a webhook was answered ${response.status}`);
    }
    return String(response?.status ?? 'no connection');
  }

  private async operate(
    interviewId: string,
    kind: 'resetActivity' | 'pauseActivity' | 'unpauseActivity',
    choice: number,
  ): Promise<undefined> {
    const workflowId = onboardingWorkflowId(interviewId);
    if (kind === 'resetActivity') return resetActivity(this.world, workflowId, { resetHeartbeat: choice < 0.5 });
    return operateActivity(this.world.onboarding, workflowId, kind, ['finishStatus', 'finishStatus', 'score'], choice);
  }

  private status(interviewId: string): { onboardingStatus: string } {
    return { onboardingStatus: this.world.simulator.session(interviewId).onboardingStatus };
  }
}

/** Actions of an operator with Temporal's own tools, whose errors are not checked. */
const RAW: readonly SessionAction[] = [
  'terminate',
  'resetWorkflow',
  'resetActivity',
  'pauseActivity',
  'unpauseActivity',
];

/** How `customFields.simulate` makes the simulated Incode decide. */
const SPECS: Record<SimulatedOutcome, SessionSpec> = {
  approved: { action: 'approved', score: { status: 'OK', value: '94.6' } },
  rejected: { action: 'rejected', score: { status: 'FAIL', value: '12.1' } },
  review: { action: 'none', score: { status: 'WARN', value: '61.0' } },
  slow: { action: 'approved', score: { status: 'OK', value: '94.6' } },
  reviewApproved: {
    action: 'none',
    score: { status: 'MANUAL_PENDING', value: '61.0' },
    manualReview: { verdict: 'APPROVED', afterMs: 60_000 * TIME_SCALE },
  },
};

/** The session that a person's workflow completes, as if it had been planned. */
function sessionOf({ simulate, plan }: PlannedPerson, interviewId: string): PlannedSession {
  const { session } = resolveCapturePlan(plan);
  return {
    interviewId,
    spec: { ...SPECS[simulate], redirectionUrl: '', interviewId },
    plan: session,
    token: 'valid',
    faults: [],
  };
}

/** Pauses one of these activities, or unpauses all. */
export async function operateActivity(
  { temporal }: ConnectedOnboardingClient,
  workflowId: string,
  kind: 'pauseActivity' | 'unpauseActivity',
  types: readonly [string, ...string[]],
  choice: number,
): Promise<undefined> {
  const { workflowService, options } = temporal;
  const request = { namespace: options.namespace, execution: { workflowId }, identity: 'campaign' };
  const type = types[Math.floor(choice * types.length)] ?? types[0];
  if (kind === 'pauseActivity') await workflowService.pauseActivity({ ...request, type, reason: 'campaign' });
  else await workflowService.unpauseActivity({ ...request, unpauseAll: true, resetAttempts: choice < 0.3 });
}

/** Resets the current activity: it starts again, with attempt 1. */
export async function resetActivity(
  { onboarding }: CampaignWorld,
  workflowId: string,
  { resetHeartbeat }: { resetHeartbeat: boolean },
): Promise<undefined> {
  const { workflowService, options } = onboarding.temporal;
  const { namespace } = options;
  const request = { namespace, execution: { workflowId }, identity: 'campaign', matchAll: true };
  await workflowService.resetActivity({ ...request, resetHeartbeat });
}

/** Resets the workflow to one of its workflow tasks. */
export async function resetWorkflow(
  { onboarding }: CampaignWorld,
  workflowId: string,
  choice: number,
): Promise<string> {
  const { workflowService, options } = onboarding.temporal;
  const handle = onboarding.temporal.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const tasks = (events ?? []).filter((event) => event.workflowTaskCompletedEventAttributes);
  const task = tasks[Math.floor(choice * tasks.length)];
  if (!task?.eventId) return 'nothing to reset';
  await workflowService.resetWorkflowExecution({
    namespace: options.namespace,
    workflowExecution: { workflowId, runId },
    reason: RESET_REASON,
    requestId: randomUUID(),
    workflowTaskFinishEventId: task.eventId,
  });
  return `reset to event ${task.eventId}`;
}

/** The error with its causes. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `, because of ${describe(error.cause)}`;
  return `${error.name}: ${error.message}${cause}`;
}
