import { type Answer, ok } from './answer.js';
import type { Route, RouteCall } from './route.js';
import type { SimulatedSession } from './session.js';

/** At Incode, the asynchronous processing of an ID takes a few seconds. */
const PROCESSING_MS = 3_000;

type Part = keyof SimulatedSession['added'];

function add(operation: Route['operation'], part: Part): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle(session, { body, query, refuse, sessions }): Answer {
      const over = reasonNoUpload(session);
      if (over) return refuse(400, over);
      if (part === 'face' && query.get('imageType') !== 'selfie') return refuse(400, 'imageType must be selfie');
      const { base64Image } = body;
      if (typeof base64Image !== 'string') return refuse(400, 'base64Image is required');
      // Incode reports an unusable image with HTTP 200.
      const usable = /^[A-Za-z0-9+/\s]+=*\s*$/.test(base64Image);
      if (usable) sessions.add(session, part);
      return ok(part === 'face' ? selfieAnswer(usable) : idAnswer(usable));
    },
  };
}

/** Incode documents that it refuses uploads to a closed session. That it also refuses them for an expired one is an assumption. */
function reasonNoUpload({ closedAt, onboardingStatus }: SimulatedSession): string | undefined {
  if (closedAt !== null) return 'The session is closed';
  return onboardingStatus === 'EXPIRED' ? 'The session has expired' : undefined;
}

/** In this answer, a high `confidence` means that the selfie does not show a living person. */
function selfieAnswer(usable: boolean): Record<string, unknown> {
  const confidence = usable ? 0 : 1;
  return { confidence, isBright: usable, hasLenses: false, hasFaceMask: false, age: 33, sessionStatus: 'Alive' };
}

function idAnswer(usable: boolean): Record<string, unknown> {
  return {
    classification: usable,
    typeOfId: usable ? 'IdentificationCard' : 'Unknown',
    countryCode: usable ? 'USA' : null,
    issueYear: usable ? 2020 : null,
    sharpness: usable ? 100 : 0,
    glare: 100,
    correctGlare: true,
    correctSharpness: usable,
    readability: usable,
    horizontalResolution: usable ? 1_920 : 0,
    sessionStatus: 'Alive',
    failReason: usable ? null : 'UNKNOWN_DOCUMENT_TYPE',
  };
}

function process(
  operation: Route['operation'],
  needs: Part,
  run: (session: SimulatedSession, call: RouteCall) => unknown,
): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle(session, call): Answer {
      const over = reasonNoUpload(session);
      if (over) return call.refuse(400, over);
      if (!session.added[needs]) return call.refuse(400, `${needs} has not been added`);
      const isRepeat = operation === 'processId' && session.isIdProcessed;
      if (isRepeat && call.behavior.secondProcessId === 'refused') return call.refuse(400, 'Id already processed');
      return ok(run(session, call));
    },
  };
}

const processId = process('processId', 'front', (session, { sessions, timeScale }) => {
  session.isIdProcessed = true;
  sessions.advance(session, 'ID_VALIDATION_FINISHED');
  sessions.process(session, PROCESSING_MS * timeScale);
  return { success: true };
});

const processFace = process('processFace', 'face', (session, { sessions }) => {
  sessions.advance(session, 'FACE_VALIDATION_FINISHED');
  // In this answer, 1 means that the selfie matches the ID.
  const confidence = session.added.front ? 1 : 0;
  return {
    confidence,
    existingUser: false,
    existingInterviewId: null,
    nameMatched: false,
    existingExternalId: null,
  };
});

const governmentValidation = process('governmentValidation', 'front', (session, { sessions }) => {
  sessions.advance(session, 'GOVERNMENT_VALIDATION_FINISHED');
  return { success: true, statusCode: 0 };
});

const ocrData: Route = {
  operation: 'ocrData',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle(session, { refuse, sessions }) {
    if (!sessions.isProcessed(session) || !session.added.front) return refuse(400, 'The ID has not been processed');
    return ok({
      name: { fullName: 'SPECIMEN SAMPLE', firstName: 'SPECIMEN', givenName: 'SPECIMEN', paternalLastName: 'SAMPLE' },
      address: '1 SAMPLE STREET\nSAMPLETOWN, ST 00000',
      typeOfId: 'IdentificationCard',
      documentNumber: 'S0000000',
      birthDate: 631_152_000_000,
      gender: 'F',
      issuedAt: '1577836800000',
      expireAt: '2208988800000',
      issueDate: 2020,
      expirationDate: 2040,
      issuingCountry: 'USA',
      ocrDataConfidence: { birthDateConfidence: 0.99, nameConfidence: 0.98, documentNumberConfidence: 0.97 },
    });
  },
};

export const CAPTURE_ROUTES: [string, Route][] = [
  ['/omni/add/front-id/v2', add('addFrontId', 'front')],
  ['/omni/add/back-id/v2', add('addBackId', 'back')],
  ['/omni/add/face/third-party', add('addFace', 'face')],
  ['/omni/process/id', processId],
  ['/omni/process/face', processFace],
  ['/omni/process/government-validation', governmentValidation],
  ['/omni/get/ocr-data', ocrData],
  ['/omni/get/ocr-data/v2', ocrData],
];
