import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AnswerPendingError, type OnboardingClient } from '../client/index.js';
import { listedSession } from '../client/list/listed.js';
import { listPage } from '../client/list/page.js';
import { queryFor, STATUSES } from '../client/list/query.js';
import {
  checkExtendDeadlineInput,
  checkInterviewId,
  InvalidInputError,
  type OnboardingInput,
  OUTCOMES,
  parseDuration,
  STAGES,
} from '../contract/index.js';
import { omitUndefined } from '../contract/omit-undefined.js';
import { fieldsOf, oneOf, queryOf } from './body.js';
import { type RequestContext, route } from './guard.js';
import { OPERATIONS } from './operations.js';
import type { GatewaySettings } from './options.js';
import { batchIdOf, limitOf, timeoutOf } from './parameters.js';
import { GatewayProblem } from './problems.js';
import type {
  CancelRequested,
  DeadlineRequest,
  FinishedSession,
  PendingSession,
  SessionList,
  SessionView,
  StartedSession,
} from './types.js';
import { finishView, sessionView } from './views.js';
import type { Waits } from './waits.js';

const FINISH_FIELDS = ['sessionToken', 'flowId', 'plan', 'ifPlanDiffers'] as const;
const START_FIELDS = [...FINISH_FIELDS, 'interviewId', 'batchId', 'ifCompleted'] as const;

export function sessionRoutes(app: FastifyInstance, { client }: GatewaySettings, waits: Waits): void {
  route(app, 'startSession', async (request, reply, context): Promise<StartedSession> => {
    const { ifPlanDiffers, ifCompleted, batchId, ...input } = fieldsOf(request, START_FIELDS);
    context.subject.interviewId = checkInterviewId(input.interviewId);
    const started = await client.start(input as unknown as OnboardingInput, {
      ifCompleted: oneOf('ifCompleted', ifCompleted, ['return', 'refuse']) ?? 'return',
      ...planOption(ifPlanDiffers),
      ...omitUndefined({ batchId: batchIdOf(batchId) }),
    });
    reply.code(started.attached ? 200 : 201).header('location', locationOf(started.interviewId));
    return started;
  });

  route(app, 'finishSession', async (request, reply, context): Promise<FinishedSession | PendingSession> => {
    const interviewId = sessionOf(request, context);
    const timeoutMs = timeoutOf(request);
    const { ifPlanDiffers, ...input } = fieldsOf(request, FINISH_FIELDS);
    const options = { timeoutMs, ...planOption(ifPlanDiffers) };
    try {
      const answer = await waits.during(request, reply, (signal) =>
        client.finish({ interviewId, ...input }, { ...options, signal }),
      );
      // Without the state, the answer still counts.
      const state = await client.state(interviewId).then(
        (known) => known.state,
        () => undefined,
      );
      return {
        interviewId,
        answer: answer && finishView(answer, context.caller),
        stage: state?.stage ?? null,
        outcome: state?.outcome ?? null,
      };
    } catch (error) {
      if (error instanceof AnswerPendingError) {
        const { stage, waitingFor, hasWorker } = error;
        return pending(reply, { interviewId, stage, waitingFor, hasWorker });
      }
      const isStopping = error instanceof GatewayProblem && error.name === 'GatewayStopping';
      if (isStopping && (await isRunning(client, interviewId)))
        return pending(reply, { interviewId, ...NOTHING_KNOWN });
      throw error;
    }
  });

  route(app, 'getSession', async (request, _reply, context): Promise<SessionView> => {
    return sessionView(await client.state(sessionOf(request, context)), context.caller);
  });

  route(app, 'listSessions', async (request): Promise<SessionList> => {
    const { stage, outcome, status, batch, cursor, limit } = queryOf(request, OPERATIONS.listSessions.query);
    const filter = {
      stage: oneOf('stage', stage, STAGES),
      outcome: oneOf('outcome', outcome, OUTCOMES),
      status: oneOf('status', status, STATUSES),
      batch: batchIdOf(batch, 'batch'),
    };
    const page = await listPage(client.temporal, queryFor(omitUndefined(filter)), { limit: limitOf(limit), cursor });
    return { items: page.items.map(listedSession), cursor: page.cursor };
  });

  route(app, 'renewToken', async (request, reply, context) => {
    const interviewId = sessionOf(request, context);
    const { sessionToken } = fieldsOf(request, ['sessionToken']);
    // The same token is the same request.
    const updateId = `gateway-token-${createHash('sha256').update(String(sessionToken)).digest('base64url')}`;
    const timeoutMs = timeoutOf(request);
    await waits.during(request, reply, (signal) =>
      client.renewToken(interviewId, sessionToken as string, { updateId, timeoutMs, signal }),
    );
    return reply.code(204).send();
  });

  route(app, 'extendDeadline', async (request, reply, context) => {
    const interviewId = sessionOf(request, context);
    const fields = fieldsOf(request, ['by']);
    checkExtendDeadlineInput(fields);
    const { by } = fields as unknown as DeadlineRequest;
    // The key alone would answer a request for another extension with this one.
    const updateId = `gateway-deadline-${parseDuration(by)}-${idempotencyKey(request)}`;
    const timeoutMs = timeoutOf(request);
    return waits.during(request, reply, (signal) =>
      client.extendDeadline(interviewId, by, { updateId, timeoutMs, signal }),
    );
  });

  route(app, 'cancelSession', async (request, reply, context): Promise<CancelRequested> => {
    const interviewId = sessionOf(request, context);
    fieldsOf(request, []);
    await client.cancel(interviewId);
    reply.code(202).header('location', locationOf(interviewId));
    return { interviewId, cancelRequested: true };
  });
}

/** The session of the path, which the audit log names. @throws InvalidInputError */
function sessionOf({ params }: FastifyRequest, { subject }: RequestContext): string {
  subject.interviewId = checkInterviewId((params as { interviewId: string }).interviewId);
  return subject.interviewId;
}

function locationOf(interviewId: string): string {
  return `/v1/sessions/${encodeURIComponent(interviewId)}`;
}

const NOTHING_KNOWN = { stage: null, waitingFor: null, hasWorker: null };

/** Whether Temporal has the request. The wait may have ended before. */
async function isRunning(client: OnboardingClient, interviewId: string): Promise<boolean> {
  return client.state(interviewId).then(
    ({ status }) => status === 'running',
    () => false,
  );
}

function pending(reply: FastifyReply, body: PendingSession): PendingSession {
  reply.code(202).header('location', locationOf(body.interviewId));
  return body;
}

function planOption(ifPlanDiffers: unknown): { ifPlanDiffers?: 'refuse' | 'attach' } {
  return omitUndefined({ ifPlanDiffers: oneOf('ifPlanDiffers', ifPlanDiffers, ['refuse', 'attach']) });
}

/** Without a key, a repeated request would extend the deadline twice. */
function idempotencyKey({ headers }: FastifyRequest): string {
  const key = headers['idempotency-key'];
  if (typeof key === 'string' && /^[!-~]{1,100}$/.test(key)) return key;
  throw new InvalidInputError(
    'Idempotency-Key',
    'is required: a header with 1 to 100 characters of your choice, the same when you repeat the request',
  );
}
