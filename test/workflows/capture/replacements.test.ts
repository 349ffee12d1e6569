import { createHash } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAPTURE_SIGNALS, FAILURES } from '../../../src/contract/index.js';
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

/** How many images are being read. */
async function reads(handle: CaptureHandle): Promise<number> {
  const { pendingActivities } = (await handle.describe()).raw;
  return (pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'pinImages').length;
}

describe('replaceImage', () => {
  it('tells one of two callers only that the image is used, if both images are read at the same time', async () => {
    const handle = await inNeedOfFront();
    images.close();
    tasks.close();
    const uris = ['held:first', 'held:second'];
    const answers = Promise.allSettled(uris.map((uri) => replaceImage(handle, 'front', { uri })));
    await expect.poll(() => reads(handle)).toBe(2);
    await handle.signal(CAPTURE_SIGNALS.sessionStarted, { interviewId: HELD, externalCustomerId: HELD });
    await expect
      .poll(async () => (await handle.describe()).raw.pendingWorkflowTask?.state)
      .toBe(temporal.api.enums.v1.PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED);
    images.open();
    await expect.poll(() => reads(handle)).toBe(0);
    tasks.open();
    const refused = { status: 'rejected', reason: { cause: { type: FAILURES.wrongStage } } };
    const accepted = { status: 'fulfilled' };
    const [first, second] = await answers;
    const used = first?.status === 'fulfilled' ? 0 : 1;
    expect([first, second]).toMatchObject(used === 0 ? [accepted, refused] : [refused, accepted]);
    const { interviewId } = await handle.result();
    const uploaded = world.simulator.captures(interviewId).uploads.filter(({ part }) => part === 'front');
    expect(uploaded.at(-1)?.sha256).toBe(
      createHash('sha256')
        .update(contentOf(String(uris[used])))
        .digest('hex'),
    );
  });
});
