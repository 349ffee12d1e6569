import { type Answer, ok } from '../answer.js';
import { isObject } from '../check.js';
import type { Route, RouteCall } from '../route.js';
import { scriptedAnswer } from './answers.js';
import { checkCustomFields } from './custom-fields.js';
import { newest } from './record.js';
import type { ImagePart } from './types.js';

/** `userConsent` also sends a title and the text, which are ignored. */
function consent(operation: Route['operation'], kind: 'user' | 'ml'): Route {
  return {
    operation,
    method: 'POST',
    token: 'session',
    handle({ capture }, { body: { status }, refuse, sessions }): Answer {
      if (typeof status !== 'boolean') return refuse(400, 'status must be true or false');
      capture.consents[kind] = status;
      sessions.changed();
      return ok({ success: true });
    },
  };
}

const addCustomFields: Route = {
  operation: 'addCustomFields',
  method: 'POST',
  token: 'session',
  handle({ capture }, { body, refuse, sessions, behavior }) {
    const { customFields } = body;
    if (!isObject(customFields)) return refuse(400, 'customFields is required');
    const all = { ...capture.customFields, ...customFields };
    const problem = checkCustomFields(all, behavior);
    if (problem) return refuse(400, problem);
    capture.customFields = all as Record<string, string>;
    sessions.changed();
    return ok({ success: true });
  },
};

const customFields: Route = {
  operation: 'customFields',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle: ({ capture }) => ok({ customFields: capture.customFields }),
};

/** The names of images in the answer of Incode. */
const IMAGES: Record<string, ImagePart> = {
  selfie: 'face',
  croppedFace: 'face',
  croppedIDFace: 'front',
  fullFrameFrontID: 'front',
  croppedFrontID: 'front',
  fullFrameBackID: 'back',
  croppedBackID: 'back',
};

/** A JPEG without content, because the simulator does not keep images. */
const PLACEHOLDER = Buffer.from([0xff, 0xd8, 0xff, 0xd9]).toString('base64');

const images: Route = {
  operation: 'images',
  method: 'POST',
  token: 'session',
  idParameter: 'id',
  handle({ capture }, { body, refuse }: RouteCall) {
    const names = body.images;
    if (!Array.isArray(names)) return refuse(400, 'images is required');
    const available = names.filter((name) => Object.hasOwn(IMAGES, name) && newest(capture, IMAGES[name] as ImagePart));
    return ok(Object.fromEntries(available.map((name) => [name, PLACEHOLDER])));
  },
};

const ocrData: Route = {
  operation: 'ocrData',
  method: 'GET',
  token: 'session',
  idParameter: 'id',
  handle(session, call) {
    const { refuse, sessions } = call;
    if (!sessions.isProcessed(session) || !session.added.front) return refuse(400, 'The ID has not been processed');
    return scriptedAnswer(SPECIMEN, call.scripted(session), call);
  },
};

/** `/v2` answers the same under `ocrData`. */
const ocrDataV2: Route = {
  ...ocrData,
  async handle(session, call) {
    const answer = await ocrData.handle(session, call);
    return answer.status === 200 ? ok({ ocrData: answer.body }) : answer;
  },
};

const SPECIMEN = {
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
};

export const SESSION_DATA_ROUTES: [string, Route][] = [
  ['/omni/add/user-consent', consent('userConsent', 'user')],
  ['/omni/add/ml-consent', consent('mlConsent', 'ml')],
  ['/omni/add/custom-fields', addCustomFields],
  ['/omni/get/custom-fields', customFields],
  ['/omni/get/images', images],
  ['/omni/get/ocr-data', ocrData],
  ['/omni/get/ocr-data/v2', ocrDataV2],
];
