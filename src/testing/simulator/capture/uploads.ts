import type { Answer } from '../answer.js';
import type { Route, RouteCall } from '../route.js';
import type { SimulatedSession } from '../session.js';
import { idAnswer, type Refusal, refusedIdAnswer, SELFIE_ANSWER, scriptedAnswer } from './answers.js';
import { decodeBase64, factsOf, type ImageFacts, isTooSmall } from './image.js';
import { recordUpload } from './record.js';
import type { ImagePart } from './types.js';

const CODES = { faceNotFound: 4019, imageSize: 3008 };

function upload(operation: Route['operation'], part: ImagePart, form: 'base64' | 'bytes' = 'base64'): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    ...(form === 'bytes' ? { takesImage: true } : {}),
    handle(session, call): Answer {
      const { behavior, refuse, body, bytes, query } = call;
      const over = reasonNoUpload(session, call) ?? reasonNotNow(session, part, call);
      if (over) return refuse(400, over);
      if (form === 'bytes') {
        if (behavior.binaryUpload === 'refused') return refuse(400, 'base64Image is required');
        return take(session, part, call, bytes.length > 0 ? bytes : undefined);
      }
      const { base64Image } = body;
      if (typeof base64Image !== 'string') return refuse(400, 'base64Image is required');
      if (part === 'face' && !isSelfie(query, call)) return refuse(400, 'imageType must be selfie');
      const isAccepted = behavior.dataUrl === 'accepted';
      return take(session, part, call, decodeBase64(isAccepted ? base64Image.replace(DATA_URL, '') : base64Image));
    },
  };
}

const DATA_URL = /^data:[^,]*,/;

function isSelfie(query: URLSearchParams, { behavior }: RouteCall): boolean {
  const type = query.get('imageType');
  return type === null ? behavior.selfieWithoutType === 'accepted' : type === 'selfie';
}

/** Incode documents that it refuses uploads to a closed session. That it also refuses them for an expired one is an assumption. */
export function reasonNoUpload(
  { closedAt, onboardingStatus, effects }: SimulatedSession,
  { behavior }: RouteCall,
): string | undefined {
  if (closedAt !== null) return 'The session is closed';
  if (onboardingStatus === 'EXPIRED') return 'The session has expired';
  return effects.finished > 0 && behavior.uploadAfterFinish === 'refused' ? 'The session is finished' : undefined;
}

function reasonNotNow({ capture }: SimulatedSession, part: ImagePart, { behavior }: RouteCall): string | undefined {
  if (part === 'back' && capture.attempts.front === 0 && behavior.backBeforeFront === 'refused')
    return 'The front has not been added';
  return capture.attempts[part] >= (behavior.maxUploads ?? Number.POSITIVE_INFINITY)
    ? `The ${part} was uploaded too often`
    : undefined;
}

/** @param image `undefined` if the request has none that can be read */
function take(session: SimulatedSession, part: ImagePart, call: RouteCall, image: Buffer | undefined): Answer {
  const facts = image && factsOf(image);
  const refusal = refusalOf(part, facts, call);
  const attempt = session.capture.attempts[part] + 1;
  session.capture.attempts[part] = attempt;
  call.sessions.changed();
  // The session does not keep an unreadable image.
  if (!facts) return scriptedAnswer(defaultAnswer(part, call, refusal), refusal, call);

  const scripted = call.scripted(session, facts.sha256) ?? refusal;
  const answer = scriptedAnswer(defaultAnswer(part, call, scripted), scripted, call);
  const fields = (scripted?.code === undefined ? answer.body : {}) as Record<string, unknown>;
  const { failReason } = fields;
  session.added[part] = true;
  recordUpload(session.capture, {
    ...facts,
    at: call.sessions.now(),
    part,
    attempt,
    retry: call.query.get('retry') === 'true',
    captureType: call.query.get('captureType'),
    failReason: typeof failReason === 'string' ? failReason : null,
    code: scripted?.code ?? null,
  });
  if (part === 'front') {
    // With `onlyFront` the client says that no back will come.
    const isOnlyFront = call.query.get('onlyFront') === 'true';
    session.capture.hasNoBack = isOnlyFront || fields.skipBackIdCapture === true || fields.typeOfId === 'Passport';
  }
  return answer;
}

/** How Incode refuses an image that is unreadable or too small. */
function refusalOf(part: ImagePart, facts: ImageFacts | undefined, { behavior }: RouteCall): Refusal | undefined {
  // The answer to a selfie has no `failReason`.
  const failed = (failReason: string) => (part === 'face' ? { code: CODES.faceNotFound } : { answer: { failReason } });
  if (!facts || (facts.type === null && behavior.unknownFormat === 'refused')) return failed('UNKNOWN_DOCUMENT_TYPE');
  if (!isTooSmall(facts) || behavior.smallImage === 'accepted') return undefined;
  return behavior.smallImage === 'error' ? { code: CODES.imageSize } : failed('DOCUMENT_NOT_READABLE');
}

function defaultAnswer(
  part: ImagePart,
  { behavior }: RouteCall,
  refusal: Refusal | undefined,
): Record<string, unknown> {
  if (part === 'face') return SELFIE_ANSWER;
  const failReason = refusal?.answer?.failReason;
  return typeof failReason === 'string' ? refusedIdAnswer(behavior, failReason) : idAnswer(behavior);
}

export const UPLOAD_ROUTES: [string, Route][] = [
  ['/omni/add/front-id/v2', upload('addFrontId', 'front')],
  ['/omni/add/back-id/v2', upload('addBackId', 'back')],
  ['/omni/add/front-id', upload('addFrontId', 'front', 'bytes')],
  ['/omni/add/back-id', upload('addBackId', 'back', 'bytes')],
  ['/omni/add/face/third-party', upload('addFace', 'face')],
];
