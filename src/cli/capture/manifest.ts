import { type CapturePerson, type ImageReference, PERSON_FIELDS } from '../../contract/capture.js';
import { omitAbsent } from '../../contract/guards.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { personProblems } from '../../contract/person-problems.js';
import { fileUri } from '../../images/files.js';
import { plainName, type Shape } from '../batch/list-rows.js';

const FIELDS: Record<string, keyof CapturePerson> = {
  reference: 'reference',
  front: 'front',
  back: 'back',
  selfie: 'selfie',
  configurationid: 'configurationId',
  countrycode: 'countryCode',
  customfields: 'customFields',
};

/** The part after the dot is the name of a field on the Incode dashboard, so its spelling is kept. */
const CUSTOM_FIELD = /^custom[\s_-]?fields?\.(.+)$/is;

const PREFIX = 'customFields.';

const NO_FRONT = 'front is empty: every person needs a front, as a path or an address';

/** A row of a manifest. */
export interface ManifestRow {
  /** Its person. Fields with a problem are invalid. */
  fields: Partial<CapturePerson>;
  problems: RowProblem[];
}

/** What is wrong with a field, which is one of a person's. */
export interface RowProblem {
  field: string;
  message: string;
}

/** The rows of a manifest: people with their images. */
export const PEOPLE: Shape<ManifestRow> = {
  required: 'reference',
  fieldOf(name) {
    const [, custom] = CUSTOM_FIELD.exec(name) ?? [];
    if (custom !== undefined) return PREFIX + custom;
    const plain = plainName(name);
    return Object.hasOwn(FIELDS, plain) ? FIELDS[plain] : undefined;
  },
  check(fields) {
    const { front, back, selfie, customFields, ...others } = fields;
    const texts = Object.entries(others).filter(([name]) => !name.startsWith(PREFIX));
    const person = omitAbsent(
      omitUndefined({
        ...Object.fromEntries(texts),
        front: imageOf(front),
        back: imageOf(back),
        selfie: imageOf(selfie),
        customFields: customFieldsOf(others, customFields),
      }),
    );
    const problems = personProblems(person).map(({ field, message }) => {
      // A problem of a custom field's name begins with other words.
      const name = PERSON_FIELDS.find((known) => field.startsWith(known)) ?? 'customFields';
      return { field: name, message: name === 'front' && person.front === undefined ? NO_FRONT : message };
    });
    return { fields: person as Partial<CapturePerson>, problems };
  },
};

/** @param cell a path or an address. `check` refuses everything else */
function imageOf(cell: unknown): ImageReference | undefined {
  if (cell === undefined || cell === null || cell === '') return undefined;
  return { uri: typeof cell === 'string' ? addressOf(cell) : (cell as string) };
}

/** @param text a path or an address */
export function addressOf(text: string): string {
  return isAddress(text) ? text : fileUri(text);
}

/** A single letter before the colon is a drive of Windows. */
function isAddress(cell: string): boolean {
  return /^[a-z][a-z0-9+.-]+:/i.test(cell);
}

/** Accepts an object, which NDJSON allows, besides one field per custom field. */
function customFieldsOf(fields: Record<string, unknown>, object: unknown): unknown {
  const own = Object.entries(fields).flatMap(([name, text]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), text]] : [],
  );
  if (own.length === 0) return object;
  return { ...(object as object | undefined), ...Object.fromEntries(own) };
}
