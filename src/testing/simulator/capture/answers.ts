import type { Answer, Refuse } from '../answer.js';
import { ok } from '../answer.js';
import type { SimulatorBehavior } from '../behavior.js';
import type { ScriptedAnswer } from './types.js';

type Fields = Record<string, unknown>;

/** The part of a scripted answer that says what is answered. */
export type Refusal = Pick<ScriptedAnswer, 'answer' | 'omit' | 'code' | 'httpStatus' | 'message'>;

/** The answer to a call that took effect, changed as the test has scripted it. */
export function scriptedAnswer(
  fields: Fields,
  scripted: Refusal | undefined,
  { refuse, behavior }: { refuse: Refuse; behavior: SimulatorBehavior },
): Answer {
  if (scripted === undefined) return ok(fields);
  const { code, httpStatus = behavior.imageErrorStatus, message = 'The image cannot be used', omit = [] } = scripted;
  if (code !== undefined) return refuse(httpStatus, message, { code });
  const answer: Fields = { ...fields, ...scripted.answer };
  for (const name of omit) delete answer[name];
  return ok(answer);
}

/** The answer to a side of an ID. */
export function idAnswer(behavior: SimulatorBehavior): Fields {
  return {
    classification: true,
    typeOfId: 'IdentificationCard',
    countryCode: 'USA',
    issueName: 'Specimen',
    issueYear: 2020,
    sharpness: 100,
    glare: 100,
    correctGlare: true,
    correctSharpness: true,
    readability: true,
    horizontalResolution: 1_920,
    sessionStatus: 'Alive',
    failReason: null,
    skipBackIdCapture: false,
    isDocumentExpired: false,
    idQualityAttemptApproved: true,
    showMandatoryConsent: behavior.consents === 'required',
  };
}

/** Incode reports most refused pictures with HTTP 200. */
export function refusedIdAnswer(behavior: SimulatorBehavior, failReason: string): Fields {
  return {
    ...idAnswer(behavior),
    classification: false,
    typeOfId: 'Unknown',
    countryCode: null,
    issueName: null,
    issueYear: null,
    sharpness: 0,
    correctSharpness: false,
    readability: false,
    horizontalResolution: 0,
    failReason,
  };
}

/** In this answer, a high `confidence` means that the selfie does not show a living person. */
export const SELFIE_ANSWER: Fields = {
  confidence: 0,
  isBright: true,
  hasLenses: false,
  hasFaceMask: false,
  hasHeadCover: false,
  age: 33,
  sessionStatus: 'Alive',
};
