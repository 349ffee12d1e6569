import { createCaptureClient } from 'temporal-incode/incode';
import { startIncodeSimulator } from 'temporal-incode/testing';
import { expect, it } from 'vitest';
import { jpeg } from '../support/images.js';
import { capturePerson } from './capture.js';

it.each([
  ['IdentificationCard', ['front', 'back', 'face']],
  ['Passport', ['front', 'face']],
])('the example in docs/capture.md uploads for the type %s: %j', async (typeOfId, parts) => {
  await using simulator = await startIncodeSimulator();
  simulator.script({ operation: 'addFrontId', answer: { typeOfId } });
  const incode = createCaptureClient({ baseUrl: simulator.url, apiKey: simulator.apiKey });
  const image = jpeg();
  const { interviewId } = await capturePerson(incode, '4711', { front: image, back: image, selfie: image });
  await incode.close();
  const { uploads, processed } = simulator.captures(interviewId);
  expect(uploads.map(({ part }) => part)).toEqual(parts);
  expect(processed).toMatchObject({ id: 1, face: 1 });
});
