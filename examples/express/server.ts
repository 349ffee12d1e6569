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

/** How long somebody may wait at a screen. After that the session goes on without this request. */
const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 10_000);

// One connection for the process, by TEMPORAL_ADDRESS and the like.
const onboarding = await connectOnboardingClient();
const app = express();

// Your own authentication goes here. Anybody can send this header: it is for trying the service on your machine.
const authenticate: RequestHandler = (request, response, next) => {
  response.locals.user = request.get('x-demo-user');
  if (response.locals.user) next();
  else response.status(401).json({ error: 'Who are you?' });
};
app.use(authenticate);

app.post('/onboarding', async (_request, response) => {
  const { user } = response.locals;
  const { interviewId, sessionToken } = sessionOf(user) ?? (await openSession(user));
  // For Incode's SDK in the browser. What a browser sends back is never used.
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
    // Nothing is lost: whoever asks again gets the same answer.
    response.status(202).location('/onboarding').json({ pending: error.message });
  } else if (error instanceof InvalidInputError) {
    // Such as a token that has expired in the store.
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

/** Incode refuses the session for good; or somebody has stopped the onboarding. */
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
    // Requests under way get their answer; after them nobody needs the connection to Temporal.
    server.close(() => onboarding.close());
    // Clients would keep theirs open for the next request.
    setInterval(() => server.closeIdleConnections(), 200).unref();
  });
}
