import { describe, expect, it } from 'vitest';
import { checkCapturePerson, checkImageReference, MAX_IMAGE_BYTES } from '../../src/contract/capture.js';
import { InvalidInputError } from '../../src/contract/index.js';
import { personProblems } from '../../src/contract/person-problems.js';

const SECRET = 'secret-5f3a';
const front = { uri: 'file:ann/front.jpg' };

function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    expect(error.message).not.toContain(SECRET);
    return error.message;
  }
  return 'accepted';
}

describe('checkImageReference', () => {
  it.each([
    ['a file', { uri: 'file:ann/100%25%20M%C3%BCller.jpg' }],
    ['HTTPS', { uri: 'https://images.example:8443/ann/front.jpg' }],
    ['S3', { uri: 's3://bucket/ann/front@2.jpg' }],
    ['a scheme of the host', { uri: 'vault+v2:5f3a' }],
    ['a pinned image', { uri: 'file:a', sha256: 'a0'.repeat(32), bytes: MAX_IMAGE_BYTES }],
  ])('accepts %s', (_, image) => {
    expect(checkImageReference(image)).toEqual(image);
  });

  it('treats null as absent', () => {
    expect(checkImageReference({ uri: 'file:a', sha256: null, bytes: null })).toEqual({ uri: 'file:a' });
  });

  it.each([
    ['image must be an object', 'file:a'],
    ['image.uri must be an address such as "file:ann/front.jpg"', {}],
    ['image.uri must be an address such as "file:ann/front.jpg"', { uri: 'front.jpg' }],
    ['image.uri must be an address such as "file:ann/front.jpg"', { uri: `file:a ${SECRET}` }],
    ['image.uri must be an address such as "file:ann/front.jpg"', { uri: 'FILE:a' }],
    ['image.uri must have at most 1,024 characters', { uri: `file:${'a'.repeat(1_024)}` }],
    ['image.uri must have no query or fragment', { uri: `https://a.example/a.jpg?X-Amz-Signature=${SECRET}` }],
    ['image.uri must have no query or fragment', { uri: `https://a.example/a.jpg#${SECRET}` }],
    ['image.uri must have no login', { uri: `https://ann:${SECRET}@a.example/a.jpg` }],
    ['image.sha256 must have 64 hexadecimal digits in lower case', { uri: 'file:a', sha256: 'A0'.repeat(32) }],
    ['image.bytes must be a whole number from 1 to 7499925', { uri: 'file:a', bytes: 0 }],
    ['image.bytes must be a whole number from 1 to 7499925', { uri: 'file:a', bytes: 1.5 }],
    ['image.bytes must be a whole number from 1 to 7499925', { uri: 'file:a', bytes: MAX_IMAGE_BYTES + 1 }],
    ['image.data is not known', { uri: 'file:a', data: SECRET }],
  ])('says "%s" and shows no value', (message, image) => {
    expect(refusal(() => checkImageReference(image))).toMatch(message);
  });
});

describe('personProblems', () => {
  it('names every invalid field of a person, in the order of the fields', () => {
    const customFields = { ok: 'x', bad: 5, '': 'x' };
    const person = {
      reference: 'a b',
      front: {},
      back: 'x',
      selfie: { uri: 'file:a.jpg' },
      countryCode: 1,
      customFields,
    };
    expect(personProblems(person).map(({ field }) => field)).toEqual([
      'reference',
      'front.uri',
      'back',
      'countryCode',
      'customFields.bad',
      'A name in customFields',
    ]);
    expect(personProblems({ reference: 'a', front: { uri: 'file:a.jpg' } })).toEqual([]);
  });

  it('names no single custom field if there are too many', () => {
    const customFields = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`field-${at}`, 5]));
    const person = { reference: 'a', front: { uri: 'file:a.jpg' }, customFields };
    expect(personProblems(person).map(({ message }) => message)).toEqual(['customFields must have at most 50 fields']);
    expect(personProblems({ ...person, customFields: 'x' })).toMatchObject([{ field: 'customFields' }]);
  });
});

describe('checkCapturePerson', () => {
  it('accepts a person with everything and one with the front only', () => {
    const person = {
      reference: 'ann-1',
      front,
      back: { uri: 'file:ann/back.jpg' },
      selfie: { uri: 'file:ann/selfie.jpg' },
      configurationId: '6650c1d2',
      countryCode: 'ALL',
      customFields: { 'first name': 'Änn', empty: '' },
    };
    expect(checkCapturePerson(person)).toEqual(person);
    expect(checkCapturePerson({ reference: 'ann-1', front, back: null, customFields: null })).toEqual({
      reference: 'ann-1',
      front,
    });
  });

  it.each([
    ['reference must be printable ASCII without spaces', { reference: undefined }],
    ['reference must be printable ASCII without spaces', { reference: 'Ann Müller' }],
    ['reference must have at most 150 characters', { reference: 'a'.repeat(151) }],
    ['front must be an object', { front: undefined }],
    ['back.uri must be an address', { back: {} }],
    ['selfie must be an object', { selfie: 'file:a' }],
    ['configurationId must be printable ASCII without spaces', { configurationId: 'a b' }],
    ['countryCode must be a country code of 2 or 3 letters', { countryCode: '?!' }],
    ['countryCode must have at most 3 characters', { countryCode: 'Germany' }],
    ['customFields must be an object', { customFields: [] }],
    [
      'customFields must have at most 50 fields',
      { customFields: Object.fromEntries([...Array(51).keys()].map((key) => [key, ''])) },
    ],
    ['A name in customFields must be a non-empty text', { customFields: { '': 'a' } }],
    ['A name in customFields must have at most 100 characters', { customFields: { ['a'.repeat(101)]: 'a' } }],
    ['customFields.name must have at most 1,000 characters', { customFields: { name: 'a'.repeat(1_001) } }],
    ['customFields.name must be a text without control characters', { customFields: { name: 'a\u0000' } }],
    ['customFields.name must be a text without control characters', { customFields: { name: 5 } }],
    ['person.fornt is not known', { fornt: front }],
  ])('says "%s"', (message, part) => {
    expect(refusal(() => checkCapturePerson({ reference: 'ann-1', front, ...part }))).toMatch(message);
  });
});
