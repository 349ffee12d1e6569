import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, type PayloadCodec } from '@temporalio/common';
import { inject } from 'vitest';
import { createWorker, readCaptureConfig, readConfig } from '../../dist/worker.js';
import { OnboardingClient } from '../../src/client/index.js';
import {
  CAPTURE_QUERIES,
  CAPTURE_UPDATES,
  CAPTURE_WORKFLOW,
  type CaptureInput,
  type CaptureResult,
  type CaptureState,
  type CaptureWorkflow,
  captureWorkflowId,
  type ImageReference,
  type ImageSide,
} from '../../src/contract/index.js';
import { omitUndefined } from '../../src/contract/omit-undefined.js';
import type { ImageSource } from '../../src/images/index.js';
import {
  type IncodeSimulator,
  type SessionView,
  type SimulatorOptions,
  startIncodeSimulator,
} from '../../src/testing/index.js';
import type { Upload } from '../../src/testing/simulator/capture/types.js';
import { jpeg } from './images.js';
import { API_KEY, logs, workerEnvironment } from './world.js';

export type CaptureHandle = WorkflowHandle<CaptureWorkflow>;

/** A simulator, a worker as `createWorker` makes it, a directory with images, and a client. */
export interface CaptureWorld {
  simulator: IncodeSimulator;
  temporal: Client;
  onboarding: OnboardingClient;
  taskQueue: string;
  directory: string;
  /** Writes a JPEG whose data has this text, under a new name. */
  image(content?: string): Promise<ImageReference>;
  /** A person with a new reference, and new images of both sides and of the face. */
  person(parts?: Partial<CaptureInput>): Promise<CaptureInput>;
  start(input: CaptureInput, workflowId?: string): Promise<CaptureHandle>;
  run(input: CaptureInput): Promise<CaptureResult>;
  /** All sessions at Incode that were opened for a person, oldest first. */
  sessionsOf(input: CaptureInput): SessionView[];
  /** The uploads of a person's session, in their order, as `front`, or `front again` for a repeat. */
  uploads(interviewId: string): string[];
  logs(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface CaptureWorldOptions {
  simulator?: SimulatorOptions;
  /** Environment variables of the worker. */
  worker?: Record<string, string>;
  /** Sources of images in addition to the directory. */
  imageSources?: ImageSource[];
  /** Codec of the worker. The client of the world does not use it. */
  codec?: PayloadCodec;
  /** @default the shared server */
  address?: string;
}

/** Environment variables of a worker with an executive user. */
export const EXECUTIVE_USER = { INCODE_EXECUTIVE_EMAIL: 'kyc@example.com', INCODE_EXECUTIVE_PASSWORD: 'password' };

/** In a text that must not appear anywhere. */
export const IMAGE_CANARY = 'image-bytes-that-must-not-be-seen';

export async function startCaptureWorld(options: CaptureWorldOptions = {}): Promise<CaptureWorld> {
  const { address = inject('temporalAddress') } = options;
  const logsFrom = logs().length;
  const taskQueue = `capture-${randomUUID()}`;
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-images-'));
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], timeScale: 0.01, ...options.simulator });
  const env = {
    ...workerEnvironment(simulator.url, taskQueue),
    INCODE_CONFIGURATION_ID: 'flow-of-the-worker',
    INCODE_SETTLE_TIME: '400ms',
    INCODE_PROCESS_POLL: '50ms',
    INCODE_IMAGE_ROOTS: directory,
    INCODE_DOCUMENT_RATE_LIMIT: '1000',
    INCODE_FACE_RATE_LIMIT: '1000',
    TEMPORAL_ADDRESS: address,
    ...options.worker,
  };
  const worker = await createWorker(readConfig(env), {
    capture: readCaptureConfig(env),
    // Workflow code of single people runs in this thread, which saves half a second of CPU for each world.
    worker: { debugMode: true, ...(options.codec ? { dataConverter: { payloadCodecs: [options.codec] } } : {}) },
    ...omitUndefined({ imageSources: options.imageSources }),
  });
  const running = worker.run();
  const connection = await Connection.connect({ address });
  const temporal = new Client({ connection, namespace: inject('temporalNamespace') });
  const image = async (content = '') => {
    const name = `${randomUUID()}.jpg`;
    await writeFile(join(directory, name), jpeg({ content: `${IMAGE_CANARY} ${content} ${name}` }));
    return { uri: `file:${name}` };
  };
  const start = (input: CaptureInput, workflowId = captureWorkflowId(input.reference)) =>
    temporal.workflow.start<CaptureWorkflow>(CAPTURE_WORKFLOW, { workflowId, taskQueue, args: [input] });
  return {
    simulator,
    temporal,
    onboarding: new OnboardingClient({ client: temporal, taskQueue }),
    taskQueue,
    directory,
    image,
    person: async (parts = {}) => {
      const [front, back, selfie] = [await image(), await image(), await image()];
      return { reference: `person-${randomUUID()}`, front, back, selfie, ...parts };
    },
    start,
    run: async (input) => (await start(input)).result(),
    sessionsOf: ({ reference }) =>
      simulator.sessions().filter(({ externalCustomerId }) => externalCustomerId?.startsWith(`${reference}~`)),
    uploads: (interviewId) => simulator.captures(interviewId).uploads.map(nameOf),
    logs: () => logs().slice(logsFrom),
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
      await connection.close();
      await simulator.close();
      await rm(directory, { recursive: true });
    },
  };
}

function nameOf({ part, retry }: Upload): string {
  return retry ? `${part} again` : part;
}

export function stateOf(handle: CaptureHandle): Promise<CaptureState> {
  return handle.query<CaptureState>(CAPTURE_QUERIES.state);
}

export function replaceImage(handle: CaptureHandle, side: ImageSide, image: ImageReference): Promise<void> {
  return handle.executeUpdate<void, [unknown]>(CAPTURE_UPDATES.replaceImage, { args: [{ side, image }] });
}

/** The image as the workflow pins it. */
export async function pinned({ directory }: CaptureWorld, { uri }: ImageReference): Promise<Required<ImageReference>> {
  const bytes = await readFile(join(directory, uri.slice('file:'.length)));
  return { uri, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** The failure of a workflow that fails. */
export async function failureOf(starting: Promise<CaptureHandle>): Promise<ApplicationFailure> {
  const handle = await starting;
  try {
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause;
    throw error;
  }
  throw new Error('The workflow has not failed');
}
