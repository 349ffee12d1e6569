import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';
import {
  type CaptureActivities,
  type CaptureActivityOptions,
  createCaptureActivities,
} from '../../src/activities/index.js';
import { fileImages } from '../../src/images/files.js';
import { createCaptureClient, createIncodeClient } from '../../src/incode/index.js';
import { type IncodeSimulator, type SimulatorOptions, startIncodeSimulator } from '../../src/testing/index.js';
import { jpeg } from './images.js';

/** A text in every image and, as a scripted answer, in what Incode reads from an image. No activity may let it out. */
export const CANARY = 'CANARY-OF-AN-IMAGE';

export const SCHEDULED = 1_700_000_000_000;

export interface Attempt {
  attempt?: number;
  /** How long after the activity the attempt was scheduled. */
  afterMs?: number;
  heartbeatDetails?: unknown;
  heartbeatTimeoutMs?: number;
  /** Through which the attempt asks the server whether it is the current one. @default none: it is */
  client?: Client;
  /** Called with the environment, for example to cancel it. */
  during?: (environment: MockActivityEnvironment) => void;
}

export interface CaptureWorld {
  simulator: IncodeSimulator;
  /** Directory of the images `front.jpg`, `back.jpg` and `selfie.jpg`. */
  directory: string;
  activities: CaptureActivities;
  /** Runs one attempt of an activity. */
  run<Input, Result>(
    activity: (input: Input) => Promise<Result>,
    input: Input,
    attempt?: Attempt,
  ): Promise<Ended<Result>>;
  /** Everything that the attempts until now have let out: results, failures, heartbeats and logs. Disposing of the world searches it for the canary. */
  said(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How an attempt ended, and the details of its last heartbeat. */
export interface Ended<Result> {
  result?: Result;
  failure?: unknown;
  left: unknown;
}

/** Capture activities with a simulated Incode and a directory with images. */
export async function startCaptureWorld(
  simulated: SimulatorOptions = {},
  options: Partial<CaptureActivityOptions> = {},
): Promise<CaptureWorld> {
  const simulator = await startIncodeSimulator({ timeScale: 0.001, ...simulated });
  const directory = await mkdtemp(join(tmpdir(), 'capture-'));
  for (const name of ['front', 'back', 'selfie']) {
    await writeFile(join(directory, `${name}.jpg`), jpeg({ content: `${CANARY} ${name}` }));
  }
  const account = { baseUrl: simulator.url, apiKey: simulator.apiKey };
  const incode = createIncodeClient(account);
  const capture = createCaptureClient(account);
  const sources = [fileImages([directory])];
  const activities = createCaptureActivities({ incode, capture, sources, configurationId: 'flow', ...options });
  const said: string[] = [];
  const say = (...parts: unknown[]) => void said.push(inspect(parts, { depth: 9, showHidden: true }));
  const logger = { log: say, trace: say, debug: say, info: say, warn: say, error: say };
  return {
    simulator,
    directory,
    activities,
    async run(activity, input, { attempt = 1, afterMs = 0, during, client, ...rest } = {}) {
      const info = {
        attempt,
        ...rest,
        scheduledTimestampMs: SCHEDULED,
        currentAttemptScheduledTimestampMs: SCHEDULED + afterMs,
      };
      const environment = new MockActivityEnvironment(info, { logger, ...(client ? { client } : {}) });
      let left: unknown;
      environment.on('heartbeat', (details: unknown) => {
        left = details;
        say(details);
      });
      const running = environment.run(activity, input);
      during?.(environment);
      try {
        const result = (await running) as Awaited<ReturnType<typeof activity>>;
        say(result);
        return { result, left };
      } catch (failure) {
        say(failure);
        return { failure, left };
      }
    },
    said: () => said.join('\n'),
    async [Symbol.asyncDispose]() {
      await Promise.all([incode.close(), capture.close(), simulator.close()]);
      await rm(directory, { recursive: true });
      expect(said.join('\n')).not.toContain(CANARY);
    },
  };
}
