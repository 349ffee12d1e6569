import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
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
const app = express();

// Put your own authentication here. Anybody can send this header: it only serves to try the service on your machine.
const authenticate: RequestHandler = (request, response, next) => {
  response.locals.user = request.get('x-demo-user');
  if (response.locals.user) next();
  else response.status(401).json({ error: 'Who are you?' });
};
app.use(authenticate);

app.post('/onboarding', async (_request, response) => {
  const { user } = response.locals;
  const { interviewId, sessionToken } = sessionOf(user) ?? (await openSession(user));
  // For Incode's SDK in the browser. The service never uses an id or a token that a browser sends.
  response.json({ interviewId, token: sessionToken });
});

app.post('/onboarding/finish', async (_request, response) => {
  const session = sessionOf(response.locals.user);
  if (!session) return void response.status(404).json({ error: 'You have no session' });
  const answer = await onboarding.finish(session, { timeoutMs: PATIENCE_MS });
  if (answer) response.json({ action: answer.action, redirectionUrl: answer.redirectionUrl });
  else response.status(410).json({ error: 'Your session has expired' });
});

app.get('/onboarding', async (_request, response) => {
  const session = sessionOf(response.locals.user);
  if (!session) return void response.status(404).json({ error: 'You have no session' });
  const { status, state, result, failure } = await onboarding.state(session.interviewId);
  response.json({
    status,
    stage: state?.stage ?? null,
    outcome: result?.outcome ?? null,
    failure: failure?.type ?? null,
  });
});

app.use(((error, _request, response, next) => {
  if (error instanceof AnswerPendingError) {
    // Nothing is lost: asking again gives the same answer.
    response.status(202).location('/onboarding').json({ pending: error.message });
  } else if (error instanceof InvalidInputError) {
    // For example, the stored token has expired.
    response.status(400).json({ error: error.message });
  } else if (error instanceof SessionNotFoundError) {
    response.status(404).json({ error: error.message });
  } else if (error instanceof SessionFailedError) {
    response.status(statusOf(error)).json({ error: error.message, type: error.type });
  } else if (error instanceof TemporalUnavailableError) {
    console.error(error.message);
    response.status(503).set('retry-after', '5').json({ error: 'Not taken, please try again' });
  } else {
    next(error);
  }
}) satisfies ErrorRequestHandler);

/** Incode refused the session for good, or somebody ended the onboarding. */
function statusOf({ type }: SessionFailedError): number {
  if (type === FAILURES.unknownSession) return 404;
  return type.startsWith('Incode') ? 422 : 409;
}

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Listening at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    // Requests in flight get their answer first. They need the connection to Temporal.
    server.close(() => onboarding.close());
    // Clients keep idle connections open, which would delay the end.
    setInterval(() => server.closeIdleConnections(), 200).unref();
  });
}
