import { truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CAPTURE_SIGNALS, type CaptureInput, type ImageReference } from '../../src/contract/index.js';
import type { ScriptedAnswer } from '../../src/testing/index.js';
import {
  type CaptureHandle,
  type CaptureWorld,
  type CaptureWorldOptions,
  EXECUTIVE_USER,
  replaceImage,
  startCaptureWorld,
  stateOf,
} from '../support/capture-world.js';
import type { History } from '../support/history.js';

const UNREADABLE: ScriptedAnswer = {
  operation: 'addFrontId',
  times: 1,
  answer: { failReason: 'DOCUMENT_NOT_READABLE' },
};
const WAIT = { plan: { onRefusedImage: 'wait' } } as const;

/** A scenario for every path through `captureOnboarding`. */
export const CAPTURE_SCENARIOS: Record<string, () => Promise<History>> = {
  capture: () => playing({ plan: { government: true, watchlist: true } }),

  'capture-passport': () =>
    playing({}, (world) => {
      world.simulator.script({ operation: 'addFrontId', times: 1, answer: { typeOfId: 'Passport' } });
    }),

  'capture-session-found': () =>
    playing(
      { plan: { findSessionWithin: '1 hour' } },
      (world) => world.simulator.fault({ operation: 'start', kind: 'reset', effect: true }),
      async (world, handle) => {
        await expect.poll(async () => (await stateOf(handle)).stage).toBe('findingSession');
        const [started] = world.simulator.sessions();
        await handle.signal(CAPTURE_SIGNALS.sessionStarted, {
          interviewId: started?.interviewId,
          externalCustomerId: started?.externalCustomerId,
        });
      },
    ),

  'capture-session-not-found': () =>
    playing({ plan: { findSessionWithin: '300ms' } }, (world) =>
      world.simulator.fault({ operation: 'start', kind: 'reset', effect: true }),
    ),

  'capture-token-refused': () =>
    playing({}, (world) => world.simulator.fault({ operation: 'addFace', kind: 'status', status: 401 })),

  /** Incode refuses two fresh tokens as well. */
  'capture-tokens-refused': () =>
    playing({}, (world) => world.simulator.fault({ operation: 'addFace', kind: 'status', status: 401, times: 3 })),

  /** Earlier versions took a refused renewal for a refusal to compare the faces. */
  'capture-renewal-refused': () =>
    playing({}, (world) => {
      world.simulator.fault({ operation: 'processFace', kind: 'status', status: 401 });
      world.simulator.fault({ operation: 'start', skip: 1, kind: 'status', status: 400 });
    }),

  'capture-image-refused': () => playing({}, (world) => world.simulator.script(UNREADABLE)),

  'capture-image-replaced': () => playing(WAIT, (world) => world.simulator.script(UNREADABLE), replaceNeeded),

  /** The first replacement is missing. A worker reads the second one before the update is answered. */
  'capture-replacement-unusable': () =>
    playing(
      WAIT,
      (world) => world.simulator.script(UNREADABLE),
      async (world, handle) => {
        await expect.poll(async () => (await stateOf(handle)).needs.length).toBeGreaterThan(0);
        await replaceImage(handle, 'front', { uri: 'file:missing.jpg' }).catch(() => undefined);
        await replaceNeeded(world, handle);
      },
    ),

  /** The deadline passes while a worker reads the image. */
  'capture-replacement-given-up': () =>
    playing(
      { plan: { onRefusedImage: 'wait', imageDeadline: '2s' } },
      (world) => world.simulator.script(UNREADABLE),
      async (world, handle) => {
        await expect.poll(async () => (await stateOf(handle)).needs.length).toBeGreaterThan(0);
        const image = await world.image();
        await truncate(join(world.directory, image.uri.slice('file:'.length)), 100);
        await replaceImage(handle, 'front', image).catch(() => undefined);
      },
    ),

  'capture-image-not-replaced': () =>
    playing({ plan: { onRefusedImage: 'wait', imageDeadline: '300ms' } }, (world) =>
      world.simulator.script(UNREADABLE),
    ),

  'capture-failed': () => playing({ plan: { onRefusedImage: 'fail' } }, (world) => world.simulator.script(UNREADABLE)),

  'capture-image-unusable': () => playing(WAIT, removeFront, replaceNeeded),

  'capture-processed-again': () =>
    playing(
      WAIT,
      (world) => world.simulator.script({ operation: 'processId', times: 1, code: 6000 }),
      async (world, handle) => {
        await replaceNeeded(world, handle);
        await replaceNeeded(world, handle);
      },
    ),

  'capture-per-endpoint': () =>
    playing({}, undefined, undefined, { worker: { INCODE_RATE_LIMIT_PER_ENDPOINT: 'true' } }),

  'capture-purged': () => playing({ plan: { purge: 'images' } }, undefined, undefined, { worker: EXECUTIVE_USER }),
};

async function playing(
  parts: Partial<CaptureInput>,
  prepare: (world: CaptureWorld, input: CaptureInput) => unknown = () => undefined,
  act: (world: CaptureWorld, handle: CaptureHandle) => Promise<void> = async () => undefined,
  options: CaptureWorldOptions = {},
): Promise<History> {
  await using world = await startCaptureWorld(options);
  const input = await world.person(parts);
  await prepare(world, input);
  const handle = await world.start(input);
  await act(world, handle);
  await handle.result().catch(() => undefined);
  return handle.fetchHistory();
}

function removeFront({ directory }: CaptureWorld, { front }: { front: ImageReference }): Promise<void> {
  return unlink(join(directory, front.uri.slice('file:'.length)));
}

/** Hands in the first image that the workflow waits for. */
async function replaceNeeded(world: CaptureWorld, handle: CaptureHandle): Promise<void> {
  await expect.poll(async () => (await stateOf(handle)).needs.length).toBeGreaterThan(0);
  const [side = 'front'] = (await stateOf(handle)).needs;
  await replaceImage(handle, side, await world.image());
}
