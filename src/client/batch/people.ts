import { jsonBytes } from '../../contract/batch-size.js';
import { type ImageSide, PURGED_AFTER, replacedImages } from '../../contract/capture.js';
import {
  CAPTURE_BATCH_WORKFLOW,
  type CaptureBatchInput,
  type CapturePerson,
  type CapturePlan,
  type CaptureRow,
  captureBatchWorkflowId,
  captureWorkflowId,
  checkCapturePerson,
  FAILURES,
  IMAGE_SIDES,
  InvalidInputError,
  resolveCapturePlan,
} from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { CaptureItem } from './capture-types.js';
import { heldUpPeople } from './held-up.js';
import type { BatchKind, StartedAfter } from './kind.js';
import { SeenIds } from './seen-ids.js';
import type { ItemShape } from './shards.js';

export type WithImages = (person: CapturePerson) => CapturePerson | Promise<CapturePerson>;

interface PeopleOptions {
  plan: CapturePlan;
  retryFailed: boolean;
  beforeStart: WithImages;
  beforeAttach?: WithImages;
}

/** A batch of people from images. */
export function peopleKind(options: PeopleOptions): BatchKind<CapturePerson, CaptureRow, CaptureItem> {
  return {
    noun: 'people',
    subject: 'Person',
    workflowType: CAPTURE_BATCH_WORKFLOW,
    workflowId: captureBatchWorkflowId,
    planText: JSON.stringify(resolveCapturePlan(options.plan)),
    shape: peopleShape,
    inputOf: (people, after) => inputOf(people, after, options),
    resultOf: (index, reference, row) => ({ index, reference, ...withPurge(row, options.plan) }),
    comparison: (people) => comparisonOf(people, options.beforeAttach),
    heldUp: heldUpPeople,
  };
}

/** A person who was started before follows the plan of that time. So the row alone does not say that nothing was deleted. */
function withPurge(row: CaptureRow, { purge = 'none' }: CapturePlan): CaptureRow {
  const { outcome, purged, notPurged } = row;
  const isFinal = outcome !== undefined && PURGED_AFTER.includes(outcome);
  if (purge === 'none' || !isFinal || notPurged !== undefined || purged === 'session' || purged === purge) return row;
  return { ...row, notPurged: `started before, with${purged ? ` purge ${purged}` : 'out purge'}` };
}

/** People at the same time in `beforeStart`, which usually reads images. */
const AT_A_TIME = 8;

async function inputOf(
  people: CapturePerson[],
  { earlier }: StartedAfter<CaptureRow>,
  { plan, retryFailed, beforeStart }: PeopleOptions,
): Promise<Pick<CaptureBatchInput, 'people' | 'plan' | 'retryFailed' | 'earlier'>> {
  const ready = await withImages(people, beforeStart, (at) => !earlier?.[at]);
  return { people: ready, plan, ...(retryFailed ? { retryFailed } : {}), ...(earlier ? { earlier } : {}) };
}

async function withImages(
  people: CapturePerson[],
  read: WithImages,
  isWanted: (at: number) => boolean = () => true,
): Promise<CapturePerson[]> {
  const ready = [...people];
  const left = people.map((_, at) => at).filter(isWanted);
  const lane = async () => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) {
      ready[at] = await read(people[at] as CapturePerson);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  return ready;
}

/** Compares the images of a list that runs again with those that the results are about. */
async function comparisonOf(
  people: CapturePerson[],
  beforeAttach: WithImages | undefined,
): Promise<(at: number, row: CaptureRow) => CaptureRow> {
  const listed = beforeAttach ? await withImages(people, beforeAttach) : people;
  // Not the people, because a shard may last for days.
  const images = listed.map(({ reference, ...person }) => ({
    reference,
    digests: IMAGE_SIDES.flatMap((side) => (person[side] ? [[side, person[side].sha256 ?? null] as const] : [])),
  }));
  return (at, row) => {
    const { reference, digests } = images[at] as (typeof images)[number];
    return row.outcome === undefined ? row : comparedRow(reference, row, digests, beforeAttach !== undefined);
  };
}

/** @param isAsked whether the caller wants to know which images were not compared */
function comparedRow(
  reference: string,
  row: CaptureRow,
  images: (readonly [ImageSide, digest: string | null])[],
  isAsked: boolean,
): CaptureRow {
  const { notCompared: _, ...outcome } = row;
  const differing: ImageSide[] = [];
  const unknown: ImageSide[] = [];
  for (const [side, digest] of images) {
    const known = row.digests?.[side];
    if (digest === null || known === undefined) unknown.push(side);
    else if (!known.includes(digest)) differing.push(side);
  }
  if (differing.length > 0) {
    const message = `Person ${reference}: ${replacedImages(differing, captureWorkflowId(reference))}`;
    return { failure: { type: FAILURES.personDiffers, message } };
  }
  const notCompared = isAsked ? unknown : unknown.filter((side) => row.notCompared?.includes(side));
  return notCompared.length > 0 ? { ...outcome, notCompared } : outcome;
}

function peopleShape(): ItemShape<CapturePerson> {
  const seen = new SeenIds();
  return {
    check(input, index) {
      const person = checkCapturePerson(input, `people[${index}]`);
      const first = seen.see(person.reference, index);
      if (first === index) return person;
      throw new InvalidInputError(`people[${index}].reference`, `is the same as that of people[${first}]`);
    },
    idOf: ({ reference }) => reference,
    sizeOf: (person) => jsonBytes(withoutDigests(person)) + IMAGE_SIDES.length * DIGEST_BYTES,
    contentOf: contentOfPerson,
  };
}

/** `,"sha256":"…","bytes":7499925`, which may be added before the shard is started. */
const DIGEST_BYTES = 96;

/** What makes a person the same person when a batch runs again. */
export function contentOfPerson(person: CapturePerson): string {
  return JSON.stringify(withoutDigests(person));
}

/** Digests may be known in one run and unknown in another. */
function withoutDigests(person: CapturePerson): CapturePerson {
  const { reference, configurationId, countryCode, customFields } = person;
  const images = IMAGE_SIDES.flatMap((side) => (person[side] ? [[side, { uri: person[side].uri }]] : []));
  const fields = customFields && Object.fromEntries(Object.entries(customFields).sort(([a], [b]) => (a < b ? -1 : 1)));
  const others = omitUndefined({ configurationId, countryCode, customFields: fields });
  return { reference, ...(Object.fromEntries(images) as Pick<CapturePerson, 'front'>), ...others };
}
