import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaptureInput } from '../../src/client/index.js';
import { type CaptureWorld, pinned, startCaptureWorld } from '../support/capture-world.js';
import { ask, makeToken, problemName, startGateway, type TestGateway } from './support.js';

const starter = makeToken('billing', 'start');
const reader = makeToken('support', 'read');
const operator = makeToken('ops', 'operate');
const { token } = starter;

let world: CaptureWorld;
let gateway: TestGateway;
beforeAll(async () => {
  world = await startCaptureWorld();
  const tokens = [starter, reader, operator].map(({ entry }) => entry);
  gateway = await startGateway({ client: world.onboarding, tokens: () => tokens });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const path = (reference: string, what = '') => `/v1/people/${encodeURIComponent(reference)}${what}`;

const get = (reference: string, as = reader) => ask(gateway, `GET ${path(reference)}`, { token: as.token });

async function personInNeedOfFront(): Promise<CaptureInput> {
  const input = await world.person({ plan: { onRefusedImage: 'wait' } });
  const { sha256 } = await pinned(world, input.front);
  world.simulator.script({ operation: 'addFrontId', sha256, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  expect((await ask(gateway, 'POST /v1/people', { token, body: input })).status).toBe(201);
  await expect.poll(async () => (await get(input.reference)).body.state?.stage).toBe('needsImage');
  return input;
}

describe('POST /v1/people', () => {
  it('onboards a person, and attaches when the request is repeated', async () => {
    const input = await world.person({ customFields: { note: 'only for Incode' } });
    const first = await ask(gateway, 'POST /v1/people', { token, body: input });
    expect([first.status, first.headers.get('location')]).toEqual([201, path(input.reference)]);
    const again = await ask(gateway, 'POST /v1/people', { token, body: input });
    expect([again.status, again.body.runId]).toEqual([200, first.body.runId]);
    await world.onboarding.people.result(input.reference);
    const { body } = await get(input.reference);
    expect(body).toMatchObject({
      reference: input.reference,
      status: 'completed',
      result: { onboarding: { outcome: 'approved' }, images: { front: { assessment: 'accepted' } } },
      call: null,
      session: null,
    });
    expect(JSON.stringify(body)).not.toMatch(/redirectionUrl|only for Incode/);
    const own = await get(input.reference, starter);
    expect(own.body.result.onboarding.finish).toHaveProperty('redirectionUrl');
    expect(world.sessionsOf(input)).toHaveLength(1);
  });

  it('refuses another request for the same person', async () => {
    const input = await world.person();
    await ask(gateway, 'POST /v1/people', { token, body: input });
    const body = { ...input, countryCode: 'DE' };
    const other = await ask(gateway, 'POST /v1/people', { token, body });
    expect([other.status, problemName(other), other.body.differs]).toEqual([
      409,
      'PersonDiffersError',
      ['countryCode'],
    ]);
    await world.onboarding.people.cancel(input.reference);
  });

  it.each([
    ['reference', { reference: 'a b' }],
    ['front', { reference: 'a' }],
    ['front.uri', { reference: 'a', front: { uri: 'front.jpg' } }],
    ['body.name', { reference: 'a', name: 'Ann' }],
    ['retryFailed', { reference: 'a', retryFailed: 'yes' }],
  ])('refuses an invalid request and names the field %s', async (field, body) => {
    const answer = await ask(gateway, 'POST /v1/people', { token, body });
    expect([answer.status, problemName(answer), answer.body.field]).toEqual([400, 'InvalidInputError', field]);
  });
});

describe('POST /v1/people/{reference}/image', () => {
  it('hands in another image, after which the onboarding continues', async () => {
    const { reference } = await personInNeedOfFront();
    const hand = async (image: unknown) =>
      ask(gateway, `POST ${path(reference, '/image')}`, { token: operator.token, body: { side: 'front', image } });
    const missing = await hand({ uri: 'file:nowhere.jpg' });
    expect([missing.status, problemName(missing), missing.body.side]).toEqual([
      422,
      'PersonImageUnusableError',
      'front',
    ]);
    const image = await pinned(world, await world.image());
    expect((await hand(image)).status).toBe(204);
    expect((await hand(image)).status).toBe(204);
    expect((await world.onboarding.people.result(reference)).onboarding?.outcome).toBe('approved');
  });

  it('is refused in a stage that waits for no image', async () => {
    const input = await world.person();
    await world.onboarding.people.start(input);
    await world.onboarding.people.result(input.reference);
    const body = { side: 'front', image: input.front };
    const answer = await ask(gateway, `POST ${path(input.reference, '/image')}`, { token: operator.token, body });
    expect([answer.status, problemName(answer)]).toEqual([409, 'PersonEndedError']);
  });
});

describe('GET /v1/people', () => {
  it('lists people who wait for an image', async () => {
    const { reference } = await personInNeedOfFront();
    const list = () => ask(gateway, 'GET /v1/people?stage=needsImage&status=open', { token: reader.token });
    await expect
      .poll(async () => (await list()).body.items)
      .toContainEqual(expect.objectContaining({ reference, status: 'running', stage: 'needsImage' }));
    const cancelled = await ask(gateway, `DELETE ${path(reference)}`, { token: operator.token });
    expect([cancelled.status, cancelled.body]).toEqual([202, { reference, cancelRequested: true }]);
    await expect.poll(async () => (await get(reference)).body.status).toBe('cancelled');
  });
});

it('answers 404 for a person who is not known', async () => {
  const answer = await get('nobody');
  expect([answer.status, problemName(answer)]).toEqual([404, 'PersonNotFoundError']);
});
