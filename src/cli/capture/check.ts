import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentOfPerson } from '../../client/batch/people.js';
import { SeenIds } from '../../client/batch/seen-ids.js';
import { Window } from '../../client/batch/window.js';
import { type CapturePerson, type ImageReference, type ImageSide, PERSON_FIELDS } from '../../contract/capture.js';
import { ImageError } from '../../images/errors.js';
import type { ImageDescription } from '../../images/read.js';
import { type Format, ignoredNotice, type ListRow, readList } from '../batch/list-rows.js';
import type { Source } from '../batch/source.js';
import { type Requests, requestsOf, sidesOf } from './duration.js';
import { type ManifestRow, PEOPLE, type RowProblem } from './manifest.js';

export interface CheckedManifest {
  /** Derived from the people in their order, so the same list is the same batch under any file name. */
  batchId: string;
  people: number;
  /** Rows that are not a valid person, repeat a reference, or have an image that cannot be used. */
  invalid: number;
  /** Those of them that have nothing wrong but their images. */
  badImages: number;
  withoutBack: number;
  withoutSelfie: number;
  /** People whom the workers' own configuration id is for. */
  withoutConfigurationId: number;
  images: number;
  /** Size of all images. */
  bytes: number;
  /** Images that an earlier person has too. */
  shared: SharedImages;
  /** Images that can be used, of valid and invalid rows. */
  usable: number;
  requests: Requests;
  /** Reads the manifest again, without invalid rows. */
  read(): AsyncGenerator<CapturePerson>;
}

export interface SharedImages {
  count: number;
  /** The first of them, with the line of the earlier person. */
  first: { line: number; side: ImageSide; uri: string; earlierLine: number } | null;
}

export interface CheckOptions {
  /** @throws ImageError if the image cannot be used */
  inspect(image: ImageReference): Promise<ImageDescription>;
  signal: AbortSignal;
  printNotice(line: string): void;
  onProgress(rows: number): void;
}

/** People whose images are checked at the same time. More would take memory and save no time, because the disk or network is busy. */
const IN_FLIGHT = 8;

/** Checks all rows and images, and reports every problem with its line, in order. Keeps a few bytes per row in memory. */
export async function checkManifest(source: Source, format: Format, options: CheckOptions): Promise<CheckedManifest> {
  const { inspect, signal, printNotice, onProgress } = options;
  const seen = { references: new SeenIds(), images: new SeenIds() };
  const invalidLines = new Set<number>();
  const counts = {
    people: 0,
    badImages: 0,
    usable: 0,
    withoutBack: 0,
    withoutSelfie: 0,
    withoutConfigurationId: 0,
    images: 0,
    bytes: 0,
  };
  const shared: SharedImages = { count: 0, first: null };
  const requests: Requests = { documents: 0, faces: 0 };
  const hash = createHash('sha256');
  const onIgnored = (names: string[]) => printNotice(ignoredNotice(names));
  const rows = readList(source, format, PEOPLE, onIgnored);
  for await (const { line, person, bytes, problems, badImages, usable } of inOrder(
    rows,
    (row) => checkRow(row, seen.references, inspect),
    signal,
  )) {
    onProgress(counts.people + invalidLines.size);
    counts.usable += usable;
    if (!person || problems.length > 0) {
      invalidLines.add(line);
      if (problems.length === badImages) counts.badImages += 1;
      for (const problem of problems) printNotice(`Line ${line}: ${problem}`);
      continue;
    }
    const sides = sidesOf(person);
    for (const { side, image } of sides) {
      const earlierLine = seen.images.see(placeOf(image), line);
      if (earlierLine === line) continue;
      shared.count += 1;
      shared.first ??= { line, side, uri: image.uri, earlierLine };
    }
    hash.update(`${contentOfPerson(person)}\n`);
    counts.people += 1;
    counts.withoutBack += person.back ? 0 : 1;
    counts.withoutSelfie += person.selfie ? 0 : 1;
    counts.withoutConfigurationId += person.configurationId === undefined ? 1 : 0;
    counts.images += sides.length;
    counts.bytes += bytes;
    const needed = requestsOf(person);
    requests.documents += needed.documents;
    requests.faces += needed.faces;
  }
  const read = () => validPeople(source, format, invalidLines);
  const batchId = `people-${hash.digest('hex').slice(0, 16)}`;
  return { batchId, ...counts, invalid: invalidLines.size, shared, requests, read };
}

async function* validPeople(source: Source, format: Format, invalidLines: Set<number>): AsyncGenerator<CapturePerson> {
  for await (const { line, value } of readList(source, format, PEOPLE, () => undefined)) {
    if (value && !invalidLines.has(line)) yield value.fields as CapturePerson;
  }
  await source.checkUnchanged();
}

interface CheckedRow {
  line: number;
  person?: CapturePerson | undefined;
  bytes: number;
  problems: string[];
  /** How many of the problems only reading the images has found. */
  badImages: number;
  usable: number;
}

/** @param references each reference with its first line; later lines with the same reference are invalid */
async function checkRow(
  { line, value: row, problem }: ListRow<ManifestRow>,
  references: SeenIds,
  inspect: CheckOptions['inspect'],
): Promise<CheckedRow> {
  if (!row) return { line, bytes: 0, problems: [String(problem)], badImages: 0, usable: 0 };
  const { fields, problems } = row;
  const isValid = (field: string) => problems.every((each) => each.field !== field);
  const sides = sidesOf(fields).filter(({ side }) => isValid(side));
  // Before anything is awaited, because rows that are checked at the same time end in any order.
  const repeated = repeatedReference(fields, line, references);
  const found = await Promise.all(sides.map(({ side, image }) => checkImage(side, image, inspect)));
  const bad = found.flatMap((each) => each.problem ?? []);
  const all = [...problems, ...repeated, ...repeatedImage(sides), ...bad];
  return {
    line,
    person: fields as CapturePerson,
    bytes: found.reduce((sum, each) => sum + each.bytes, 0),
    problems: inFieldOrder(all),
    badImages: bad.length,
    usable: found.length - bad.length,
  };
}

function repeatedReference({ reference }: Partial<CapturePerson>, line: number, references: SeenIds): RowProblem[] {
  if (typeof reference !== 'string') return [];
  const first = references.see(reference, line);
  if (first === line) return [];
  return [{ field: 'reference', message: `reference ${reference} is the same as on line ${first}` }];
}

function repeatedImage(sides: ReturnType<typeof sidesOf>): RowProblem[] {
  const places = sides.map(({ image }) => placeOf(image));
  const twice = sides.find((_, at) => places.indexOf(places[at] as string) !== at);
  if (!twice) return [];
  return [{ field: twice.side, message: `${twice.side} is the same image as another one of this person` }];
}

function inFieldOrder(problems: RowProblem[]): string[] {
  const order: readonly string[] = PERSON_FIELDS;
  const sorted = problems.toSorted((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
  return sorted.map(({ message }) => message);
}

/** The same for all spellings of a path, such as `a.jpg` and `./a.jpg`. */
function placeOf({ uri }: ImageReference): string {
  if (!uri.startsWith('file:')) return uri;
  const path = uri.slice('file:'.length);
  try {
    return `file:${posix.normalize(path.startsWith('/') ? fileURLToPath(uri) : decodeURIComponent(path))}`;
  } catch {
    // No valid path, which reading the image reports.
    return uri;
  }
}

async function checkImage(
  side: ImageSide,
  image: ImageReference,
  inspect: CheckOptions['inspect'],
): Promise<{ bytes: number; problem?: RowProblem }> {
  try {
    return { bytes: (await inspect(image)).bytes };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { bytes: 0, problem: { field: side, message: `${side} ${image.uri} ${error.reason}` } };
  }
}

/** Checks several rows at the same time and yields the results in the order of the rows. */
async function* inOrder<T, R>(
  rows: AsyncGenerator<T>,
  check: (row: T) => Promise<R>,
  signal: AbortSignal,
): AsyncGenerator<R> {
  const window = new Window<R>(IN_FLIGHT, true);
  const feed = async () => {
    try {
      for await (const row of rows) {
        signal.throwIfAborted();
        await window.room();
        if (window.isClosed) return;
        window.add(check(row));
      }
      window.close();
    } catch (error) {
      window.close(error);
    }
  };
  const feeding = feed();
  try {
    for (let taken = await window.take(); taken; taken = await window.take()) yield taken.value;
  } finally {
    window.close();
    await feeding;
  }
}
