import { asObject, InvalidInputError, omitAbsent, onlyKeys } from './guards.js';
import { omitUndefined } from './omit-undefined.js';
import type { FlowId, Outcome } from './types.js';

// Temporal keeps inputs for days and shows them in its Web UI. So an image is a reference here, and never its bytes.

/**
 * Incode accepts requests of 10 MB, and base64 makes an image a third larger. It is unknown whether Incode means MB or MiB, so this
 * assumes the smaller. The rest of the request has less than 100 bytes.
 */
export const MAX_IMAGE_BYTES = Math.floor((10_000_000 - 100) / 4) * 3;

/** Incode needs this many pixels on at least one side. */
export const MIN_IMAGE_PIXELS = 1_000;

/** Outcomes after which the plan `purge` deletes. After every other one somebody has to look at the session. */
export const PURGED_AFTER: readonly Outcome[] = ['approved', 'rejected', 'expired'];

/** The address of an image and, optionally, its digest and size. */
export interface ImageReference {
  /**
   * An address with a scheme, such as `file:ann/front.jpg`, `https://images.example/ann/front.jpg` or `s3://bucket/ann/front.jpg`. It has
   * no query, because a query can hold a credential, and Temporal keeps the reference.
   *
   * @maxLength 1024
   * @pattern ^[a-z][a-z0-9+.-]*:[!-"$->@-~]+$
   */
  uri: string;
  /**
   * The SHA-256 of the image in hexadecimal. If set, another image at this address is refused.
   *
   * @pattern ^[0-9a-f]{64}$
   */
  sha256?: string;
  /**
   * The size of the image in bytes. If set, an image of another size is refused.
   *
   * @asType integer
   * @minimum 1
   * @maximum 7499925
   */
  bytes?: number;
}

/**
 * Your own id of a person: printable ASCII without spaces. Temporal's Web UI and logs show it, so use no name.
 *
 * @maxLength 150
 * @pattern ^[!-~]+$
 */
export type CaptureReference = string;

/**
 * ISO code of a country, or `ALL`.
 *
 * @pattern ^[A-Za-z]{2,3}$
 */
export type CountryCode = string;

/**
 * Text of a custom field, without control characters.
 *
 * @maxLength 1000
 * @pattern ^[^\u0000-\u001f\u007f-\u009f]*$
 */
export type CustomFieldText = string;

/** A person with their images, as a manifest lists them. */
export interface CapturePerson {
  /** Your own id of the person. Incode's `externalCustomerId` begins with it. */
  reference: CaptureReference;
  front: ImageReference;
  /** Missing for documents with one side, such as passports. */
  back?: ImageReference;
  selfie?: ImageReference;
  /** The flow at Incode. If absent, the worker's `INCODE_CONFIGURATION_ID`. */
  configurationId?: FlowId;
  /** @default "ALL" */
  countryCode?: CountryCode;
  /** Fields that your Incode dashboard defines, by name: at most 50 fields, and names of at most 100 characters. */
  customFields?: Record<string, CustomFieldText>;
}

/** The images of a person, in the order in which Incode needs them. */
export const IMAGE_SIDES = ['front', 'back', 'selfie'] as const satisfies readonly (keyof CapturePerson)[];
/** A side of the document, or the selfie. */
export type ImageSide = (typeof IMAGE_SIDES)[number];

/** The images and the flow that a person's workflow was started with. Its memo has them. */
export type StartedWith = Pick<CapturePerson, ImageSide | 'configurationId'>;

/**
 * SHA-256 of an image in hexadecimal.
 *
 * @pattern ^[0-9a-f]{64}$
 */
export type ImageDigest = string;

/** The digests of the images that a workflow has read, by side: that of the request, and the last two of those handed in later. */
export type ImageDigests = Partial<Record<ImageSide, ImageDigest[]>>;

/** What a list knows of a person. A list of an earlier version names no country, and then nothing is known about custom fields either. */
export type PersonRequest = StartedWith & Pick<CapturePerson, 'countryCode' | 'customFields'>;

export function startedWithOf({ front, back, selfie, configurationId }: CapturePerson): StartedWith {
  return { front, ...omitUndefined({ back, selfie, configurationId }) };
}

export function requestOf(person: CapturePerson): PersonRequest & Required<Pick<CapturePerson, 'countryCode'>> {
  const { countryCode = 'ALL', customFields } = person;
  return { ...startedWithOf(person), countryCode, ...omitUndefined({ customFields }) };
}

/** The images of two requests that are at different addresses. Digests do not count, because somebody may have handed in another image. */
export function differingAddresses(known: Partial<StartedWith>, person: StartedWith): ImageSide[] {
  return IMAGE_SIDES.filter((side) => known[side]?.uri !== person[side]?.uri);
}

/** Why a person's result is not reported, in words for people. */
export function replacedImages(sides: readonly ImageSide[], workflowId: string): string {
  const images =
    sides.length === 1
      ? `the image of the ${sides[0]} is another one`
      : `the images of ${sides.join(' and ')} are others`;
  return (
    `${images} than the workflow ${workflowId} has read, so its result is not reported. ` +
    'Give the new image another address, or the person another reference'
  );
}

const TEXT_FIELDS = ['configurationId', 'countryCode', 'customFields'] as const;

/** The other fields of two requests that are not the same. The order of custom fields does not count. */
export function differingTexts(
  known: Partial<CapturePerson>,
  person: Partial<CapturePerson>,
): (typeof TEXT_FIELDS)[number][] {
  const [texts, others] = [textsOf(known), textsOf(person)];
  return TEXT_FIELDS.filter((field) => texts[field] !== others[field]);
}

/** A workflow may have been started with the `null` of other languages. */
function textsOf({ configurationId, countryCode, customFields }: Partial<CapturePerson>) {
  const sorted = Object.entries(customFields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    configurationId: configurationId ?? null,
    countryCode: countryCode ?? 'ALL',
    customFields: JSON.stringify(sorted),
  };
}

export const PERSON_FIELDS = ['reference', ...IMAGE_SIDES, 'configurationId', 'countryCode', 'customFields'] as const;

/** Checks a person and their images. @throws InvalidInputError naming the field, such as `front.uri`, without its value */
export function checkCapturePerson(value: unknown, field = 'person'): CapturePerson {
  const person = omitAbsent(asObject(field, value));
  onlyKeys(field, person, PERSON_FIELDS);
  // Errors about a single person name its fields without a prefix.
  for (const check of fieldChecks(person, field === 'person' ? '' : `${field}.`)) check();
  return person as unknown as CapturePerson;
}

/** One check for each field, in their order. Each throws an `InvalidInputError`. */
export function* fieldChecks(person: Record<string, unknown>, prefix: string): Generator<() => unknown, void> {
  yield () => checkReference(person.reference, `${prefix}reference`);
  yield () => checkImageReference(person.front, `${prefix}front`);
  for (const side of ['back', 'selfie'] as const) {
    if (person[side] !== undefined) yield () => checkImageReference(person[side], `${prefix}${side}`);
  }
  for (const name of ['configurationId', 'countryCode'] as const) {
    if (person[name] !== undefined) yield () => check(person[name], `${prefix}${name}`, TEXTS[name]);
  }
  if (person.customFields !== undefined) yield* customFieldChecks(person.customFields, `${prefix}customFields`);
}

/** Checks a reference, which becomes part of a workflow id. @throws InvalidInputError */
export function checkReference(value: unknown, field = 'reference'): string {
  return check(value, field, TEXTS.reference);
}

/** Checks a reference to an image. @throws InvalidInputError without the address, which may hold a credential */
export function checkImageReference(value: unknown, field = 'image'): ImageReference {
  const image = omitAbsent(asObject(field, value));
  onlyKeys(field, image, ['uri', 'sha256', 'bytes']);
  const uri = check(image.uri, `${field}.uri`, TEXTS.uri);
  if (/[?#]/.test(uri)) {
    throw new InvalidInputError(
      `${field}.uri`,
      'must have no query or fragment, because Temporal would keep a credential in it',
    );
  }
  if (/^[^:]+:\/\/[^/]*@/.test(uri)) {
    throw new InvalidInputError(`${field}.uri`, 'must have no login, because Temporal would keep it');
  }
  if (image.sha256 !== undefined) check(image.sha256, `${field}.sha256`, TEXTS.sha256);
  if (image.bytes !== undefined && !isImageSize(image.bytes)) {
    throw new InvalidInputError(`${field}.bytes`, `must be a whole number from 1 to ${MAX_IMAGE_BYTES}`);
  }
  return image as unknown as ImageReference;
}

function isImageSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MAX_IMAGE_BYTES;
}

/** More than any flow uses. Incode limits number and length of the fields too, and does not say how far. */
const MAX_CUSTOM_FIELDS = 50;

function* customFieldChecks(value: unknown, field: string): Generator<() => unknown, void> {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  yield () => {
    asObject(field, value);
    if (fields.length > MAX_CUSTOM_FIELDS)
      throw new InvalidInputError(field, `must have at most ${MAX_CUSTOM_FIELDS} fields`);
  };
  if (Array.isArray(value) || fields.length > MAX_CUSTOM_FIELDS) return;
  for (const [name, text] of fields) {
    yield () => check(name, `A name in ${field}`, TEXTS.customFieldName);
    yield () => check(text, `${field}.${name}`, TEXTS.customField);
  }
}

interface TextRule {
  max: number;
  pattern: RegExp;
  expected: string;
}

const PRINTABLE = { pattern: /^[\x21-\x7e]+$/, expected: 'must be printable ASCII without spaces' };

const TEXTS = {
  // Temporal refuses workflow ids above 1,000 bytes, and each attempt at Incode adds to the reference.
  reference: { max: 150, ...PRINTABLE },
  uri: {
    max: 1_024,
    pattern: /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/,
    expected: 'must be an address such as "file:ann/front.jpg"',
  },
  sha256: { max: 64, pattern: /^[0-9a-f]{64}$/, expected: 'must have 64 hexadecimal digits in lower case' },
  configurationId: { max: 200, ...PRINTABLE },
  // Incode's are ISO codes, or ALL.
  countryCode: { max: 3, pattern: /^[A-Za-z]{2,3}$/, expected: 'must be a country code of 2 or 3 letters' },
  customFieldName: {
    max: 100,
    pattern: /^[^\p{Cc}]+$/u,
    expected: 'must be a non-empty text without control characters',
  },
  customField: { max: 1_000, pattern: /^[^\p{Cc}]*$/u, expected: 'must be a text without control characters' },
} satisfies Record<string, TextRule>;

function check(value: unknown, field: string, { max, pattern, expected }: TextRule): string {
  if (typeof value === 'string' && value.length > max) {
    throw new InvalidInputError(field, `must have at most ${max.toLocaleString('en-US')} characters`);
  }
  if (typeof value !== 'string' || !pattern.test(value)) throw new InvalidInputError(field, expected);
  return value;
}
