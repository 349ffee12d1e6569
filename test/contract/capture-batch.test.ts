import { describe, expect, it } from 'vitest';
import {
  differingAddresses,
  differingTexts,
  replacedImages,
  requestOf,
  startedWithOf,
} from '../../src/contract/capture.js';
import { captureBatchWorkflowId, checkCaptureBatchInput } from '../../src/contract/index.js';
import { fieldOf } from '../support/thrown.js';

const front = { uri: 'file:ann/front.jpg' };
const ann = { reference: 'ann', front };
const input = (more: object = {}) => ({ batchId: 'week-48', shard: 0, people: [ann], ...more });
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ reference: `p-${at}`, front }));

it('the workflow id of a shard of people never changes, because callers and open workflows use it', () => {
  expect(captureBatchWorkflowId('week-48', 3)).toBe('incode-capture-batch/week-48/3');
});

describe('checkCaptureBatchInput', () => {
  it('treats the null of other languages as absent, in people too', () => {
    const value = input({ plan: null, retryFailed: null, earlier: null, people: [{ ...ann, back: null }] });
    expect(checkCaptureBatchInput(value)).toEqual(input());
  });

  it.each([
    ['a full shard', input({ people: many(200) })],
    ['a plan', input({ plan: { onRefusedImage: 'fail', close: true } })],
    ['a retry', input({ retryFailed: true })],
    ['rows of an earlier run', input({ earlier: [null] })],
  ])('accepts %s', (_, value) => {
    expect(checkCaptureBatchInput(value)).toEqual(value);
  });

  const large = { customFields: Object.fromEntries([...Array(50).keys()].map((key) => [key, 'ä'.repeat(1_000)])) };
  it.each([
    ['input', 'a list instead of an object', []],
    ['poeple', 'a misspelled key', input({ poeple: [] })],
    ['batchId', 'a missing batch id', input({ batchId: undefined })],
    ['shard', 'a negative shard number', input({ shard: -1 })],
    ['shard', 'a shard number in a string', input({ shard: '0' })],
    ['people', 'an object instead of a list', input({ people: {} })],
    ['people', 'an empty list', input({ people: [] })],
    ['people', 'more people than a shard may have', input({ people: many(201) })],
    ['people', 'people of more than 1 MB', input({ people: many(11).map((person) => ({ ...person, ...large })) })],
    ['people[1]', 'a string as person', input({ people: [ann, 'bob'] })],
    ['people[1].reference', 'a repeated reference', input({ people: [ann, ann] })],
    ['people[1].front.uri', 'an image without address', input({ people: [ann, { reference: 'bob', front: {} }] })],
    ['people[0].selfie.sha256', 'a wrong digest', input({ people: [{ ...ann, selfie: { ...front, sha256: 'x' } }] })],
    ['people[0].countryCode', 'a wrong country', input({ people: [{ ...ann, countryCode: '?' }] })],
    ['people[0].customFields.a', 'a wrong field', input({ people: [{ ...ann, customFields: { a: 5 } }] })],
    ['earlier', 'a string instead of rows', input({ earlier: 'all' })],
    ['earlier', 'fewer rows than people', input({ earlier: [] })],
    ['plan.onRefusedImage', 'an unknown plan', input({ plan: { onRefusedImage: 'ask' } })],
    ['retryFailed', 'a retry in words', input({ retryFailed: 'yes' })],
  ])('names %s for %s', (field, _, value) => {
    expect(fieldOf(() => checkCaptureBatchInput(value))).toBe(field);
  });
});

describe('differingAddresses', () => {
  const person = startedWithOf({ ...ann, selfie: { uri: 'file:ann/selfie.jpg', sha256: 'aa' }, countryCode: 'USA' });

  it.each([
    [['front'], 'another front', { front: { uri: 'file:bob/front.jpg' } }],
    [['back'], 'a back', { back: front }],
    [['selfie'], 'no selfie', { selfie: undefined }],
    [[], 'another digest', { selfie: { uri: 'file:ann/selfie.jpg', sha256: 'bb' } }],
    [[], 'another flow', { configurationId: 'other' }],
  ])('names %j for %s', (sides, _, part) => {
    expect(differingAddresses(person, { ...person, ...part } as typeof person)).toEqual(sides);
  });
});

describe('replacedImages', () => {
  it.each([
    [['front'], 'the image of the front is another one than the workflow w has read, so'],
    [['front', 'selfie'], 'the images of front and selfie are others than the workflow w has read, so'],
  ] as const)('names %j', (sides, text) => {
    expect(replacedImages(sides, 'w')).toContain(text);
  });
});

describe('requestOf', () => {
  it('always names a country, and custom fields only if there are any', () => {
    expect(requestOf(ann)).toEqual({ front, countryCode: 'ALL' });
    const customFields = { branch: 'Boston' };
    expect(requestOf({ ...ann, countryCode: 'USA', customFields })).toEqual({
      front,
      countryCode: 'USA',
      customFields,
    });
  });
});

describe('differingTexts', () => {
  it.each([
    [[], {}, { countryCode: 'ALL', customFields: {} }],
    [[], { customFields: { a: '1', b: '2' } }, { customFields: { b: '2', a: '1' } }],
    [[], { countryCode: null, customFields: null, configurationId: null }, {}],
    [['configurationId'], { configurationId: 'flow' }, {}],
    [['countryCode', 'customFields'], { countryCode: 'USA', customFields: { a: '1' } }, { customFields: { a: '2' } }],
  ])('finds that %j differ between %j and %j', (differs, known, wanted) => {
    expect(differingTexts(known as never, wanted)).toEqual(differs);
  });
});
