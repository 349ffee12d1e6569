import { Context } from '@temporalio/activity';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import {
  differingAddresses,
  differingTexts,
  type ImageReference,
  type PersonRequest,
  type StartedWith,
} from '../../contract/capture.js';
import type { CaptureInput } from '../../contract/index.js';
import { ImageError, type ImageProblem } from '../../images/errors.js';
import { pinImage } from '../../images/read.js';
import { hasEndedWithoutResult } from '../../temporal/earlier-person.js';
import { inputOf } from '../../temporal/input.js';
import { type ComparedImages, compareImages, NO_IMAGE } from '../../temporal/read-images.js';
import type { ResolvedCaptureOptions } from './options.js';

/** Far below the activity's timeout of 5 minutes. Images of a person take up to 90 s more. The workflow asks again for people who are left. */
const READING_MS = 120_000;

/** A workflow has read only images without these problems, so the address has another one now. */
const IS_ANOTHER: readonly ImageProblem[] = ['wrongType', 'tooLarge', 'tooFewPixels', 'changed'];

/** Reads the images of a request for their digests. A workflow has noted the digests of the images that it has read. */
export class ImageReader {
  private readonly sources: ResolvedCaptureOptions['sources'];
  private readonly until = Date.now() + READING_MS;

  constructor({ sources }: Pick<ResolvedCaptureOptions, 'sources'>) {
    this.sources = sources;
  }

  /** @throws OutOfTime if other people's images have taken the time */
  readonly digestOf = async (image: ImageReference): Promise<string | null> => {
    if (Date.now() >= this.until) throw new OutOfTime();
    try {
      return (await pinImage(this.sources, image, { signal: Context.current().cancellationSignal })).sha256;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      return IS_ANOTHER.includes(error.problem) ? NO_IMAGE : null;
    }
  };
}

/** Images of other people have taken the time. */
export class OutOfTime extends Error {}

/**
 * Country and custom fields are in the input only, because everybody who may list workflows sees their memos.
 *
 * @returns `null` if the workflow was started with something else
 */
export async function compareRequest(
  client: Client,
  run: WorkflowExecutionDescription,
  startedWith: PersonRequest,
  images: ImageReader,
): Promise<ComparedImages | null> {
  const memo = run.memo?.startedWith as StartedWith | undefined;
  // The shard runs an earlier version.
  const knowsTexts = startedWith.countryCode !== undefined;
  // A workflow that neither a list nor the client has started has no such memo.
  const input = memo && !knowsTexts ? null : await inputOf<CaptureInput>(client, run);
  const known = memo ?? input;
  if (!known) return { differing: [], unknown: [], unread: [] };
  if (memo && memo.configurationId !== startedWith.configurationId) return null;
  if (differingAddresses(known, startedWith).length > 0) return null;
  const differing = input ? differingTexts(input, startedWith) : [];
  if (knowsTexts ? differing.length > 0 : differing.includes('configurationId')) return null;
  // A person who has failed has no result that could be about another image.
  const digestOf = hasEndedWithoutResult(run) ? undefined : images.digestOf;
  return compareImages(client, run, known, startedWith, digestOf);
}
