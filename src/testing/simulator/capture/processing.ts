import type { Answer } from '../answer.js';
import type { Route, RouteCall } from '../route.js';
import type { SimulatedSession } from '../session.js';
import { scriptedAnswer } from './answers.js';
import type { ImagePart } from './types.js';
import { reasonNoUpload } from './uploads.js';

/** At Incode, the asynchronous processing of an ID takes a few seconds. */
const PROCESSING_MS = 3_000;

/** @param needs the images without which the call is refused */
function process(
  operation: Route['operation'],
  needs: readonly ImagePart[],
  run: (session: SimulatedSession, call: RouteCall) => Answer,
): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle(session, call): Answer {
      const over = reasonNoUpload(session, call);
      if (over) return call.refuse(400, over);
      const missing = needs.find((part) => !session.added[part]);
      return missing ? call.refuse(400, `${missing} has not been added`) : run(session, call);
    },
  };
}

const processId = process('processId', ['front'], (session, call) => {
  const { behavior, refuse, sessions, timeScale } = call;
  const { capture } = session;
  const { user, ml } = capture.consents;
  if (behavior.consents === 'required' && !(user && ml)) return refuse(400, 'The consents are missing');
  if (capture.processed.id > 0 && !isUploadedAgain(session, call)) {
    if (capture.idCode !== null) return refuse(behavior.imageErrorStatus, null, { code: capture.idCode });
    if (behavior.secondProcessId !== 'accepted') {
      return refuse(behavior.secondProcessIdStatus, SECOND_MESSAGE[behavior.secondProcessId]);
    }
  }
  const scripted = call.scripted(session);
  capture.processed.id += 1;
  capture.fresh = { front: false, back: false };
  capture.idCode = scripted?.code ?? null;
  if (capture.idCode === null) {
    sessions.advance(session, 'ID_VALIDATION_FINISHED');
    sessions.process(session, PROCESSING_MS * timeScale);
  }
  sessions.changed();
  return scriptedAnswer({ success: true }, scripted, call);
});

/** The wordings that clients in production know. */
const SECOND_MESSAGE = {
  refused: 'Id already processed',
  parseError: 'NumberFormatException: Cannot parse null string',
};

function isUploadedAgain({ capture: { fresh, hasNoBack } }: SimulatedSession, { behavior }: RouteCall): boolean {
  if (behavior.newUploads === 'any') return fresh.front || fresh.back;
  return fresh.front && (fresh.back || hasNoBack);
}

/** Incode documents that it does not work without an ID. */
const processFace = process('processFace', ['front', 'face'], (session, call) => {
  session.capture.processed.face += 1;
  call.sessions.advance(session, 'FACE_VALIDATION_FINISHED');
  call.sessions.changed();
  // In this answer, 1 means that the selfie matches the ID.
  const answer = {
    confidence: 1,
    existingUser: false,
    existingInterviewId: null,
    nameMatched: false,
    existingExternalId: null,
  };
  return scriptedAnswer(answer, call.scripted(session), call);
});

const governmentValidation = process('governmentValidation', ['front'], (session, call) => {
  session.capture.processed.government += 1;
  call.sessions.advance(session, 'GOVERNMENT_VALIDATION_FINISHED');
  call.sessions.changed();
  const answer = {
    valid: true,
    statusCode: 0,
    governmentValidation: { recognitionConfidence: { value: '99.0', status: 'OK' } },
    ocrData: {},
  };
  return scriptedAnswer(answer, call.scripted(session), call);
});

const watchlist = process('watchlist', ['front'], (session, call) => {
  const { processed } = session.capture;
  if (processed.watchlist > 0 && call.behavior.secondWatchlist === 'refused') {
    return call.refuse(400, 'The watchlists were already checked');
  }
  processed.watchlist += 1;
  call.sessions.changed();
  return scriptedAnswer({ status: 'success', content: { data: { hits: [] } } }, call.scripted(session), call);
});

export const PROCESSING_ROUTES: [string, Route][] = [
  ['/omni/process/id', processId],
  ['/omni/process/face', processFace],
  ['/omni/process/government-validation', governmentValidation],
  ['/omni/process/global-watchlist', watchlist],
];
