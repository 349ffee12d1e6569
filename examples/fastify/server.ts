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

/** How long a person waits for the answer. After that the session continues without this request. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 10_000);

// One connection per process, configured by TEMPORAL_ADDRESS and so on.
const onboarding = await connectOnboardingClient();
const app = fastify();
app.addHook('onClose', () => onboarding.close());

// Put your own authentication here. Anybody can send this header: it only serves to try the service on your machine.
const userOf = ({ headers }: FastifyRequest): string => String(headers['x-demo-user'] ?? '');
app.addHook('onRequest', async (request, reply) => {
  if (userOf(request) === '') return reply.code(401).send({ error: 'Who are you?' });
});

app.post('/onboarding', async (request) => {
  const user = userOf(request);
  const { interviewId, sessionToken } = sessionOf(user) ?? (await openSession(user));
  // For Incode's SDK in the browser. The service never uses an id or a token that a browser sends.
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
    // Nothing is lost: asking again gives the same answer.
    reply.code(202).header('location', '/onboarding').send({ pending: error.message });
  } else if (error instanceof InvalidInputError) {
    // For example, the stored token has expired.
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

/** Incode refused the session for good, or somebody ended the onboarding. */
function statusOf({ type }: SessionFailedError): number {
  if (type === FAILURES.unknownSession) return 404;
  return type.startsWith('Incode') ? 422 : 409;
}

console.log(`Listening at ${await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })}`);

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    // Requests in flight get their answer first. They need the connection to Temporal.
    app.close();
    // Clients keep idle connections open, which would delay the end.
    setInterval(() => app.server.closeIdleConnections(), 200).unref();
  });
}
