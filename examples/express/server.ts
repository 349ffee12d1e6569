import express, { type ErrorRequestHandler } from 'express';
import {
  AnswerPendingError,
  connectOnboardingClient,
  InvalidInputError,
  SessionFailedError,
  SessionNotFoundError,
} from 'temporal-incode/client';

/** How long somebody may wait at a screen. The session goes on after that, only this request does not. */
const PATIENCE_MS = 10_000;

// One connection for the process, by TEMPORAL_ADDRESS and the like.
const onboarding = await connectOnboardingClient();
const app = express();
app.use(express.json());

// Put your own authentication before these two: who knows an interview id is not yet the person whose session it is.
app.post('/onboardings/:interviewId/finish', async (request, response) => {
  const { interviewId } = request.params;
  const { sessionToken } = request.body ?? {};
  const answer = await onboarding.finish({ interviewId, sessionToken }, { timeoutMs: PATIENCE_MS });
  if (answer === null) response.status(410).json({ error: `Session ${interviewId} has expired` });
  else response.json({ action: answer.action, redirectionUrl: answer.redirectionUrl });
});

app.get('/onboardings/:interviewId', async (request, response) => {
  const { status, state, result } = await onboarding.state(request.params.interviewId);
  response.json({ status, stage: state?.stage ?? null, outcome: result?.outcome ?? null });
});

app.use(((error, request, response, next) => {
  if (response.headersSent) return next(error);
  if (error instanceof AnswerPendingError) {
    // Nothing is lost: it goes on, and may be looked at, or asked for its answer again.
    response.status(202).location(`/onboardings/${request.params.interviewId}`).json({ error: error.message });
  } else if (error instanceof InvalidInputError) {
    response.status(400).json({ error: error.message, field: error.field });
  } else if (error instanceof SessionNotFoundError) {
    response.status(404).json({ error: error.message });
  } else if (error instanceof SessionFailedError) {
    response.status(statusOf(error)).json({ error: error.message, type: error.type });
  } else if (error.name === 'ServiceError') {
    console.error(error);
    response.status(503).set('retry-after', '5').json({ error: 'Onboardings cannot be reached at the moment' });
  } else {
    // Express's own: 500, or what the error says, such as 400 for a body that is not JSON.
    next(error);
  }
}) satisfies ErrorRequestHandler);

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Listening at ${JSON.stringify(server.address())}`);
});

// Requests under way get their answer; then nobody needs the connection any more.
process.once('SIGTERM', () => server.close(() => onboarding.close()));

/** Incode does not know the session, refuses it for good, or somebody has stopped the onboarding. */
function statusOf({ type }: SessionFailedError): number {
  if (type === 'IncodeUnknownSession') return 404;
  return type.startsWith('Incode') ? 422 : 409;
}
