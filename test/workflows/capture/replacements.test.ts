import { createHash } from 'node:crypto';
import type { WorkflowUpdateHandle } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAPTURE_SIGNALS, CAPTURE_UPDATES, FAILURES } from '../../../src/contract/index.js';
import type { ImageSource } from '../../../src/images/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  replaceImage,
  startCaptureWorld,
  stateOf,
} from '../../support/capture-world.js';
import { jpeg } from '../../support/images.js';

/** Open, or closed until a test opens it. */
class Gate {
  isOpen: Promise<void> = Promise.resolve();
  open: () => void = () => undefined;

  close(): void {
    this.isOpen = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

const HELD = 'holds the workflow task';
const tasks = new Gate();
const images = new Gate();

/** Holds a workflow task with a certain signal, so that the next events reach the workflow at once. */
const codec: PayloadCodec = {
  encode: async (payloads) => payloads,
  decode: async (payloads: Payload[]) => {
    if (payloads.some(({ data }) => data && Buffer.from(data).includes(HELD))) await tasks.isOpen;
    return payloads;
  },
};

const contentOf = (uri: string) => jpeg({ content: uri });
const held: ImageSource = {
  schemes: ['held'],
  async open(uri) {
    await images.isOpen;
    return {
      bytes: contentOf(uri).length,
      async *read() {
        yield contentOf(uri);
      },
      close: async () => undefined,
    };
  },
};

let world: CaptureWorld;
beforeAll(async () => {
  world = await startCaptureWorld({ codec, imageSources: [held] });
});
afterAll(() => world[Symbol.asyncDispose]());

/** A person whose front Incode has refused. */
async function inNeedOfFront(): Promise<CaptureHandle> {
  world.simulator.script({ operation: 'addFrontId', times: 1, answer: { failReason: 'DOCUMENT_NOT_READABLE' } });
  const handle = await world.start(await world.person({ plan: { onRefusedImage: 'wait' } }));
  await expect.poll(async () => (await stateOf(handle)).needs).toEqual(['front']);
  return handle;
}

/** Returns when the workflow has begun to have the image read. */
function handIn(handle: CaptureHandle, uri: string): Promise<WorkflowUpdateHandle<void>> {
  const args: [unknown] = [{ side: 'front', image: { uri } }];
  return handle.startUpdate<void, [unknown]>(CAPTURE_UPDATES.replaceImage, { args, waitForStage: 'ACCEPTED' });
}

/** Updates of a workflow that Temporal lets wait at a time. */
const MAX_UPDATES = 10;

const NEWER = 'a newer image of the front was handed in before a worker had read this one';

/** How many images are being read. */
async function reads(handle: CaptureHandle): Promise<number> {
  const { pendingActivities } = (await handle.describe()).raw;
  return (pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'pinImages').length;
}

describe('replaceImage', () => {
  it('uses only the newer of two images that are read in the same workflow task, and says so to both callers', async () => {
    const handle = await inNeedOfFront();
    images.close();
    tasks.close();
    const [older, newer] = ['held:older', 'held:newer'] as const;
    const updates = [await handIn(handle, older), await handIn(handle, newer)];
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId: HELD, externalCustomerId: HELD });
    await expect
      .poll(async () => (await handle.describe()).raw.pendingWorkflowTask?.state)
      .toBe(temporal.api.enums.v1.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED);
    images.open();
    await expect.poll(() => reads(handle)).toBe(0);
    tasks.open();
    expect(await Promise.allSettled(updates.map((update) => update.result()))).toMatchObject([
      { status: 'rejected', reason: { cause: { type: FAILURES.wrongStage, message: expect.stringContaining(NEWER) } } },
      { status: 'fulfilled' },
    ]);
    const { interviewId } = await handle.result();
    const uploaded = world.simulator.captures(interviewId).uploads.filter(({ part }) => part === 'front');
    expect(uploaded.at(-1)?.sha256).toBe(createHash('sha256').update(contentOf(newer)).digest('hex'));
  });

  it('takes a readable image after more unreadable ones than updates may wait, whose callers learn of the newer image', async () => {
    const handle = await inNeedOfFront();
    const unreadable: WorkflowUpdateHandle<void>[] = [];
    for (let count = 0; count <= MAX_UPDATES; count += 1) unreadable.push(await handIn(handle, `nowhere:${count}`));
    expect((await stateOf(handle)).waitingFor).toBe('a worker to read the image that was handed in: front');
    await replaceImage(handle, 'front', await world.image());
    for (const update of unreadable) {
      await expect(update.result()).rejects.toMatchObject({
        cause: { type: FAILURES.wrongStage, message: expect.stringContaining(NEWER) },
      });
    }
    expect((await handle.result()).images.front).toMatchObject({ assessment: 'accepted' });
  });
});
