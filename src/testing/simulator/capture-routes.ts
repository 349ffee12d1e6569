import { type Answer, errorAnswer, ok } from './answer.js';
import type { Route, RouteCall } from './routes.js';
import type { Session } from './sessions.js';

/** The ID's asynchronous processing takes a few seconds at Incode. */
const PROCESSING_MS = 3_000;

/** Incode's milestones in their usual order: a later one is never taken back by an earlier one. */
const ORDER = [
  'UNKNOWN',
  'ID_VALIDATION_FINISHED',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  'ONBOARDING_FINISHED',
];

/** Nothing to process, as in a session that was opened without documents, counts as processed. */
export function processed({ added, processedAt }: Session): boolean {
  if (!added.front && !added.back) return true;
  return processedAt !== null && Date.now() >= processedAt;
}

function add(operation: Route['operation'], part: keyof Session['added']): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle(session, { body, path, query }): Answer {
      if (session.closedAt !== null) return errorAnswer(400, 'The session is closed', path);
      if (part === 'face' && query.get('imageType') !== 'selfie')
        return errorAnswer(400, 'imageType must be selfie', path);
      if (typeof body.base64Image !== 'string') return errorAnswer(400, 'base64Image is required', path);
      // A picture that cannot be used is a logical failure, which comes with HTTP 200.
      if (body.base64Image === '') return ok({ failReason: 'UNREADABLE', confidence: 1 });
      session.added[part] = true;
      if (part === 'face') return ok({ age: 33, confidence: 0, hasLenses: false, hasFaceMask: false });
      return ok({ sharpness: 100, glare: 100, classification: true, typeOfId: 'Passport', failReason: null });
    },
  };
}

function process(operation: Route['operation'], needs: keyof Session['added'], status: string): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle(session, { path, sessions, timeScale }: RouteCall): Answer {
      if (!session.added[needs]) return errorAnswer(400, `${needs} has not been added`, path);
      const reach = (milestone: string) => {
        if (ORDER.indexOf(milestone) > ORDER.indexOf(session.onboardingStatus)) sessions.setStatus(session, milestone);
      };
      reach(status);
      if (operation !== 'processId') return ok({ success: true, confidence: 1, existingUser: false });
      session.processedAt = Date.now() + PROCESSING_MS * timeScale;
      sessions.later(PROCESSING_MS * timeScale, () => reach('POST_PROCESSING_FINISHED'));
      return ok({ success: true });
    },
  };
}

const ocrData: Route = {
  operation: 'ocrData',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle(session, { path }) {
    if (!processed(session) || !session.added.front) return errorAnswer(400, 'The ID has not been processed', path);
    return ok({
      name: { fullName: 'SPECIMEN SAMPLE' },
      typeOfId: 'Passport',
      birthDate: 631_152_000_000,
      issueDate: 2020,
    });
  },
};

export const ADD_ROUTES: [string, Route][] = [
  ['/omni/add/front-id/v2', add('addFrontId', 'front')],
  ['/omni/add/back-id/v2', add('addBackId', 'back')],
  ['/omni/add/face/third-party', add('addFace', 'face')],
  ['/omni/process/id', process('processId', 'front', 'ID_VALIDATION_FINISHED')],
  ['/omni/process/face', process('processFace', 'face', 'FACE_VALIDATION_FINISHED')],
  ['/omni/process/government-validation', process('governmentValidation', 'front', 'GOVERNMENT_VALIDATION_FINISHED')],
  ['/omni/get/ocr-data', ocrData],
  ['/omni/get/ocr-data/v2', ocrData],
];
