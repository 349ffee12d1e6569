import { readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_IMAGE_BYTES } from '../../../src/contract/capture.js';
import { type CapturePerson, type CaptureRow, FAILURES, type ImageReference } from '../../../src/contract/index.js';
import { type PeopleHandle, severalPeople, startPeople } from '../../support/capture-batch.js';
import { type CaptureWorld, pinned, replaceImage, startCaptureWorld, stateOf } from '../../support/capture-world.js';
import { jpeg } from '../../support/images.js';

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld();
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  world.simulator.clearFaults();
  world.simulator.clearScripts();
});

const place = ({ uri }: ImageReference) => join(world.directory, uri.slice('file:'.length));
const replace = (image: ImageReference) => writeFile(place(image), jpeg({ content: `another image of ${image.uri}` }));
const aPerson = async () => (await severalPeople(world, 1))[0] as CapturePerson;
const selfieOf = (person: CapturePerson) => person.selfie as ImageReference;

async function rowOf(person: CapturePerson): Promise<CaptureRow | undefined> {
  return (await (await startPeople(world, [person])).result()).rows[0];
}

async function withDigests(person: CapturePerson): Promise<CapturePerson> {
  const { front, back, selfie } = person as Required<CapturePerson>;
  const [one, two, three] = await Promise.all([front, back, selfie].map((image) => pinned(world, image)));
  return { ...person, front: one, back: two, selfie: three } as CapturePerson;
}

/** The person's images could not be read together, because there is no selfie yet. So the workflow knows none of their digests. */
async function personWithoutSelfie() {
  const person = await aPerson();
  const selfie = selfieOf(person);
  const listed = await withDigests(person);
  const bytes = await readFile(place(selfie));
  await unlink(place(selfie));
  const handle = await world.start({ ...person, plan: { onRefusedImage: 'wait' } });
  await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsImage');
  const handIn = async () => {
    await writeFile(place(selfie), bytes);
    await replaceImage(handle, 'selfie', selfie);
    await handle.result();
  };
  return { person, listed, handIn };
}

/** Waits until the list has compared its people for the first time. */
async function hasAsked({ workflowId }: PeopleHandle): Promise<void> {
  const answers = async () => {
    const { events } = await world.temporal.workflow.getHandle(workflowId).fetchHistory();
    return events?.filter(({ activityTaskCompletedEventAttributes: completed }) => completed).length ?? 0;
  };
  await expect.poll(answers).toBeGreaterThan(0);
}

/** The person's front was refused, and the same address has another image, which the workflow has taken. */
async function personWithReplacedFront(): Promise<CapturePerson> {
  const person = await aPerson();
  const { sha256 } = await pinned(world, person.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  const handle = await world.start({ ...person, plan: { onRefusedImage: 'wait' } });
  await expect.poll(async () => (await stateOf(handle)).stage).toBe('needsImage');
  await replace(person.front);
  await replaceImage(handle, 'front', person.front);
  await handle.result();
  return person;
}

describe('captureBatch', () => {
  it('names in each row the digests of the images that the result is about', async () => {
    const person = await aPerson();
    const { front, back, selfie } = (await withDigests(person)) as Required<CapturePerson>;
    expect((await rowOf(person))?.digests).toEqual({
      front: [front.sha256],
      back: [back.sha256],
      selfie: [selfie.sha256],
    });
  });

  it.each([
    ['without digests', async (person: CapturePerson) => person],
    ['with digests', withDigests],
  ])('reports no result of an image that was replaced at the same address since, for a list %s', async (_, listed) => {
    const person = await aPerson();
    await world.run(person);
    await replace(selfieOf(person));
    expect(await rowOf(await listed(person))).toEqual({
      failure: {
        type: FAILURES.personDiffers,
        message: expect.stringMatching(
          /^Person .*: the image of the selfie is another one than the workflow .* has read/,
        ),
      },
    });
    expect(world.sessionsOf(person)).toHaveLength(1);
  });

  it('reports no result of a running person whose image was replaced', async () => {
    const person = await aPerson();
    world.simulator.fault({ operation: 'processFace', kind: 'status', status: 429, times: null });
    await world.start(person);
    const uploads = () => world.sessionsOf(person).flatMap(({ interviewId }) => world.uploads(interviewId));
    await expect.poll(uploads).toHaveLength(3);
    await replace(person.front);
    expect((await rowOf(person))?.failure?.type).toBe(FAILURES.personDiffers);
    await world.onboarding.people.cancel(person.reference);
  });

  it('compares the images that the workflow reads only after the list has attached', async () => {
    const { person, listed, handIn } = await personWithoutSelfie();
    const list = await startPeople(world, [listed]);
    await hasAsked(list);
    await replace(person.front);
    await handIn();
    expect((await list.result()).rows).toEqual([
      {
        failure: {
          type: FAILURES.personDiffers,
          message: expect.stringContaining('the image of the front is another one'),
        },
      },
    ]);
  });

  it.each([
    ['without digests', false],
    ['with digests', true],
  ])('reports the result about images that the workflow reads later, for a list %s', async (_, hasDigests) => {
    const { person, listed, handIn } = await personWithoutSelfie();
    const list = await startPeople(world, [hasDigests ? listed : person]);
    await hasAsked(list);
    await handIn();
    expect((await list.result()).rows).toEqual([expect.objectContaining({ outcome: 'approved' })]);
  });

  it('does not start a person again who fails after the list has attached, also if no image was read', async () => {
    const { person, listed } = await personWithoutSelfie();
    const list = await startPeople(world, [listed], { retryFailed: true });
    await hasAsked(list);
    await world.onboarding.people.cancel(person.reference);
    expect((await list.result()).rows).toEqual([{ failure: expect.objectContaining({ type: 'Cancelled' }) }]);
  });

  it.each([
    ['is no image', Buffer.from('a PDF of somebody else')],
    ['has too few pixels', jpeg({ width: 640, height: 480 })],
    ['is too large', Buffer.alloc(MAX_IMAGE_BYTES + 1)],
  ])('reports no result if a file that %s has taken the place of an image', async (_, bytes) => {
    const person = await aPerson();
    await world.run(person);
    await writeFile(place(selfieOf(person)), bytes);
    expect(await rowOf(person)).toEqual({
      failure: {
        type: FAILURES.personDiffers,
        message: expect.stringContaining('the image of the selfie is another one'),
      },
    });
  });

  it.each([
    ['without digests', async (person: CapturePerson) => person],
    ['with digests', withDigests],
  ])(
    'reports the result if the workflow has read the new image with replaceImage, for a list %s',
    async (_, listed) => {
      const person = await personWithReplacedFront();
      const row = await rowOf(await listed(person));
      expect(row).toMatchObject({ outcome: 'approved' });
      expect(row?.digests?.front).toHaveLength(2);
      expect(row).not.toHaveProperty('notCompared');
    },
  );

  it('names the images that it cannot read any more, and reports the result', async () => {
    const person = await aPerson();
    await world.run(person);
    await unlink(place(selfieOf(person)));
    expect(await rowOf(person)).toMatchObject({ outcome: 'approved', notCompared: ['selfie'] });
  });

  it('starts a person with the new image who has failed before a session was opened', async () => {
    const person = await aPerson();
    world.simulator.fault({ operation: 'start', kind: 'status', status: 400 });
    await world.run(person).catch(() => undefined);
    const { sha256: old } = await pinned(world, person.front);
    await replace(person.front);
    const row = (await (await startPeople(world, [person], { retryFailed: true })).result()).rows[0];
    expect(row?.outcome).toBe('approved');
    expect(row?.digests?.front).not.toContain(old);
  });
});
