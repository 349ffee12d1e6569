import type { CaptureConfig } from '../../config/index.js';
import { type CapturePerson, IMAGE_SIDES, type ImageReference, type ImageSide } from '../../contract/capture.js';

/** Upload of the selfie, and its comparison with the document. */
const FACE_ENDPOINTS = 2;

/** Requests to Incode by class, because each class has its own rate limit. */
export interface Requests {
  /** Upload of the front and of the back, and the processing of the document. */
  documents: number;
  /** One for each of the two endpoints. */
  faces: number;
}

export function requestsOf({ back, selfie }: CapturePerson): Requests {
  return { documents: back ? 3 : 2, faces: selfie ? FACE_ENDPOINTS : 0 };
}

type Limits = Pick<CaptureConfig, 'documentRateLimit' | 'faceRateLimit' | 'rateLimitPerEndpoint'>;

/**
 * @param people number of people. Each makes one request to each endpoint that they need, and all have a front
 * @returns the shortest time for the requests, in milliseconds. Retries and answers add to it
 */
export function shortestMs(
  { people, requests }: { people: number; requests: Requests },
  { documentRateLimit, faceRateLimit, rateLimitPerEndpoint }: Limits,
): number {
  const { documents, faces } = rateLimitPerEndpoint
    ? { documents: people, faces: requests.faces / FACE_ENDPOINTS }
    : requests;
  return Math.ceil(Math.max(documents / documentRateLimit, faces / faceRateLimit) * 1_000);
}

/** The images that a person has. */
export function sidesOf(person: Partial<CapturePerson>): { side: ImageSide; image: ImageReference }[] {
  return IMAGE_SIDES.flatMap((side) => (person[side] ? [{ side, image: person[side] }] : []));
}
