import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  IMAGE_SIDES,
  type ImageDigests,
  type ImageReference,
  type ImageSide,
  type StartedWith,
} from '../contract/capture.js';
import { decodeFromPayloadsAtIndex } from './sdk-internals.js';

type Images = Partial<Pick<StartedWith, ImageSide>>;

/** How the images of a request compare with those that a person's workflow has read. */
export interface ComparedImages {
  /** Sides with another image at the same address. */
  differing: ImageSide[];
  /** Sides whose image nobody could read, so that it is unknown. */
  unknown: ImageSide[];
  /** Sides that the workflow has not read yet. They have to be compared again once it has. */
  unread: ImageSide[];
}

/** Stands for the digest of what is at an address, but is no image that a workflow can have read. */
export const NO_IMAGE = 'none';

/**
 * Compares by digest. An image that was handed in later belongs to the request too.
 *
 * @param known what the workflow was started with
 * @param request at the same addresses
 * @param digestOf the digest of an image without one, `NO_IMAGE`, or `null` if it is unknown. If absent, only images with a digest are compared
 */
export async function compareImages(
  client: Client,
  run: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
  known: Images,
  request: Images,
  digestOf?: (image: ImageReference) => Promise<string | null>,
): Promise<ComparedImages> {
  const compared: ComparedImages = { differing: [], unknown: [], unread: [] };
  const open = IMAGE_SIDES.filter((side) => {
    const digest = digestIn(request[side]);
    return request[side] && (digest === null ? digestOf !== undefined : digest !== digestIn(known[side]));
  });
  if (open.length === 0) return compared;
  const read = await digestsRead(client, run);
  for (const side of open) {
    const image = request[side] as ImageReference;
    const given = digestIn(known[side]);
    const digests = [...(read[side] ?? []), ...(given === null ? [] : [given])];
    if (digests.length === 0) {
      compared.unread.push(side);
      continue;
    }
    const digest = digestIn(image) ?? (digestOf ? await digestOf(image) : null);
    if (digest === null) compared.unknown.push(side);
    else if (!digests.includes(digest)) compared.differing.push(side);
  }
  return compared;
}

/** Other languages write null for an absent digest. */
function digestIn(image: ImageReference | undefined): string | null {
  return image?.sha256 ?? null;
}

/** What a run hands to the next one about its images. */
interface Carried {
  digests?: ImageDigests;
  pinned?: Partial<Record<ImageSide, ImageReference | null>>;
}

/** The digests of all images that a person's workflow has read, from its history, which needs no worker. */
async function digestsRead(
  client: Client,
  { workflowId, runId }: Pick<WorkflowExecutionDescription, 'workflowId' | 'runId'>,
): Promise<ImageDigests> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const { loadedDataConverter } = client.options;
  const reads = new Set<string>();
  const read: ImageDigests = {};
  const add = (side: ImageSide, digests: string[]) => {
    read[side] = [...(read[side] ?? []), ...digests];
  };
  for (const event of events ?? []) {
    const started = event.workflowExecutionStartedEventAttributes?.input?.payloads;
    const completed = event.activityTaskCompletedEventAttributes;
    if (event.activityTaskScheduledEventAttributes?.activityType?.name === 'pinImages')
      reads.add(String(event.eventId));
    else if (started && started.length > 1) {
      const carried = await decodeFromPayloadsAtIndex<Carried | null>(loadedDataConverter, 1, started);
      for (const side of IMAGE_SIDES) {
        const pinned = digestIn(carried?.pinned?.[side] ?? undefined);
        add(side, carried?.digests?.[side] ?? (pinned === null ? [] : [pinned]));
      }
    } else if (completed && reads.has(String(completed.scheduledEventId))) {
      const payloads = completed.result?.payloads;
      const images = await decodeFromPayloadsAtIndex<Images | null>(loadedDataConverter, 0, payloads);
      for (const side of IMAGE_SIDES) {
        const digest = digestIn(images?.[side]);
        if (digest !== null) add(side, [digest]);
      }
    }
  }
  return read;
}
