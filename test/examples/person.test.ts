import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestOnboarding, type TestOnboarding } from 'temporal-incode/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { jpeg } from '../support/images.js';
import { onboardPerson } from './person.js';

let images: string;
let test: TestOnboarding;
beforeAll(async () => {
  images = await mkdtemp(join(tmpdir(), 'temporal-incode-people-'));
  test = await startTestOnboarding({ worker: { INCODE_IMAGE_ROOTS: images } });
}, 120_000);
afterAll(async () => {
  await test?.stop();
  await rm(images, { recursive: true });
});

async function image(name: string): Promise<{ uri: string; sha256: string }> {
  const bytes = jpeg({ content: name });
  await writeFile(join(images, name), bytes);
  return { uri: `file:${name}`, sha256: createHash('sha256').update(bytes).digest('hex') };
}

it('the example in docs/capture.md onboards a person, and waits for another image if Incode refuses one', async () => {
  const [front, selfie] = [await image('front.jpg'), await image('selfie.jpg')];
  expect(await onboardPerson(test.onboarding, { reference: '4711', front, selfie })).toBe('approved');
  const blurred = await image('blurred.jpg');
  test.incode.script({
    operation: 'addFrontId',
    sha256: blurred.sha256,
    answer: { failReason: 'DOCUMENT_NOT_READABLE' },
  });
  const waits = await onboardPerson(test.onboarding, { reference: '4712', front: blurred, selfie });
  expect(waits).toBe('another image: front (update replaceImage)');
  await test.onboarding.people.replaceImage('4712', 'front', front);
  expect((await test.onboarding.people.result('4712')).onboarding?.outcome).toBe('approved');
}, 60_000);
