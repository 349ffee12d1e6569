import { fastify } from 'fastify';
import {
  AnswerPendingError,
  connectOnboardingClient,
  InvalidInputError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalUnavailableError,
} from 'temporal-incode/client';
import { FAILURES } from 'temporal-incode/contract';

/** How long somebody may wait at a screen. After that the session goes on without this request. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 10_000);

// One connection for the process, by TEMPORAL_ADDRESS and the like.
const onboarding = await connectOnboardingClient();
const app = fastify();
app.addHook('onClose', () => onboarding.close());

// Your own authentication goes here: who knows an interview id need not be the person whose session it is.

const finishSchema = {
  body: { type: 'object', required: ['sessionToken'], properties: { sessionToken: { type: 'string' } } },
};

interface Session {
  Params: { interviewId: string };
}

app.post<Session & { Body: { sessionToken: string } }>(
  '/onboardings/:interviewId/finish',
  { schema: finishSchema },
  async (request, reply) => {
    const { interviewId } = request.params;
    const { sessionToken } = request.body;
    const answer = await onboarding.finish({ interviewId, sessionToken }, { timeoutMs: PATIENCE_MS });
    if (answer) return { action: answer.action, redirectionUrl: answer.redirectionUrl };
    return reply.code(410).send({ error: `Session ${interviewId} has expired` });
  },
);

app.get<Session>('/onboardings/:interviewId', async (request) => {
  const { status, state, result, failure } = await onboarding.state(request.params.interviewId);
  return { status, stage: state?.stage ?? null, outcome: result?.outcome ?? null, failure: failure?.type ?? null };
});

app.setErrorHandler((error, _request, reply) => {
  if (error instanceof AnswerPendingError) {
    // Nothing is lost: whoever asks again gets the same answer.
    reply.code(202).header('location', `/onboardings/${error.interviewId}`).send({ pending: error.message });
  } else if (error instanceof InvalidInputError) {
    reply.code(400).send({ error: error.message });
  } else if (error instanceof SessionNotFoundError) {
    reply.code(404).send({ error: error.message });
  } else if (error instanceof SessionFailedError) {
    reply.code(statusOf(error)).send({ error: error.message, type: error.type });
  } else if (error instanceof TemporalUnavailableError) {
    console.error(error.message);
    reply.code(503).header('retry-after', '5').send({ error: 'Not taken, please try again' });
  } else {
    reply.send(error);
  }
});

/** Incode refuses the session for good; or somebody has stopped the onboarding. */
function statusOf({ type }: SessionFailedError): number {
  if (type === FAILURES.unknownSession) return 404;
  return type.startsWith('Incode') ? 422 : 409;
}

console.log(`Listening at ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}`);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    // Requests under way get their answer; after them nobody needs the connection to Temporal.
    app.close();
    // Clients would keep theirs open for the next request.
    setInterval(() => app.server.closeIdleConnections(), 200).unref();
  });
}
