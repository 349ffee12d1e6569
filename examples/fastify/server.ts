import { type FastifyRequest, fastify } from 'fastify';
import {
  AnswerPendingError,
  connectOnboardingClient,
  InvalidInputError,
  SessionFailedError,
  SessionNotFoundError,
  TemporalUnavailableError,
} from 'temporal-incode/client';
import { FAILURES } from 'temporal-incode/contract';
import { openSession, sessionOf } from './sessions.js';

/** How long somebody may wait at a screen. After that the session goes on without this request. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 10_000);

// One connection for the process, by TEMPORAL_ADDRESS and the like.
const onboarding = await connectOnboardingClient();
const app = fastify();
app.addHook('onClose', () => onboarding.close());

// Your own authentication goes here. Anybody can send this header: it is for trying the service on your machine.
const userOf = ({ headers }: FastifyRequest): string => String(headers['x-demo-user'] ?? '');
app.addHook('onRequest', async (request, reply) => {
  if (userOf(request) === '') return reply.code(401).send({ error: 'Who are you?' });
});

app.post('/onboarding', async (request) => {
  const user = userOf(request);
  const { interviewId, sessionToken } = sessionOf(user) ?? (await openSession(user));
  // For Incode's SDK in the browser. What a browser sends back is never used.
  return { interviewId, token: sessionToken };
});

app.post('/onboarding/finish', async (request, reply) => {
  const session = sessionOf(userOf(request));
  if (!session) return reply.code(404).send({ error: 'You have no session' });
  const answer = await onboarding.finish(session, { timeoutMs: PATIENCE_MS });
  if (answer) return { action: answer.action, redirectionUrl: answer.redirectionUrl };
  return reply.code(410).send({ error: 'Your session has expired' });
});

app.get('/onboarding', async (request, reply) => {
  const session = sessionOf(userOf(request));
  if (!session) return reply.code(404).send({ error: 'You have no session' });
  const { status, state, result, failure } = await onboarding.state(session.interviewId);
  return { status, stage: state?.stage ?? null, outcome: result?.outcome ?? null, failure: failure?.type ?? null };
});

app.setErrorHandler((error, _request, reply) => {
  if (error instanceof AnswerPendingError) {
    // Nothing is lost: whoever asks again gets the same answer.
    reply.code(202).header('location', '/onboarding').send({ pending: error.message });
  } else if (error instanceof InvalidInputError) {
    // Such as a token that has expired in the store.
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
