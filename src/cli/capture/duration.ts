import { type CapturePerson, IMAGE_SIDES, type ImageReference, type ImageSide } from '../../contract/capture.js';

/** Requests to Incode by class, because each class has its own rate limit. */
export interface Requests {
  /** Upload of the front and of the back, and the processing of the document. */
  documents: number;
  /** Upload of the selfie, and its comparison with the document. */
  faces: number;
}

export function requestsOf({ back, selfie }: CapturePerson): Requests {
  return { documents: back ? 3 : 2, faces: selfie ? 2 : 0 };
}

/** @returns the shortest time for the requests, in milliseconds. Retries and answers add to it */
export function shortestMs(requests: Requests, limits: { documentRateLimit: number; faceRateLimit: number }): number {
  const seconds = Math.max(requests.documents / limits.documentRateLimit, requests.faces / limits.faceRateLimit);
  return Math.ceil(seconds * 1_000);
}

/** The images that a person has. */
export function sidesOf(person: CapturePerson): { side: ImageSide; image: ImageReference }[] {
  return IMAGE_SIDES.flatMap((side) => (person[side] ? [{ side, image: person[side] }] : []));
}
