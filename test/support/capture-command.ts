import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { CapturePerson } from '../../src/contract/index.js';
import { type CaptureWorld, EXECUTIVE_USER, startCaptureWorld } from './capture-world.js';
import { type Ran, run } from './cli.js';
import { API_KEY } from './world.js';

/** Runs the command `capture` with its own simulator and worker. Its files are in a temporary directory. */
export interface CaptureCommand {
  world: CaptureWorld;
  directory: string;
  /** A new path in the directory that ends with the name. */
  path(name: string): string;
  /** @param env variables. @default what the command needs to read from Incode as an executive user */
  capture(args: string[], env?: Record<string, string>): Promise<Ran>;
  /** @returns the path of a manifest in NDJSON with front and selfie of each person */
  manifestOf(people: CapturePerson[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startCaptureCommand(): Promise<CaptureCommand> {
  const world = await startCaptureWorld();
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-capture-command-'));
  const environment = { INCODE_BASE_URL: world.simulator.url, INCODE_API_KEY: API_KEY, ...EXECUTIVE_USER };
  const target = ['--address', inject('temporalAddress'), '--task-queue', world.taskQueue, '--images', world.directory];
  const path = (name: string) => join(directory, `${randomUUID()}-${name}`);
  return {
    world,
    directory,
    path,
    capture: (args, env = environment) => run(['capture', ...args, ...target], '', env),
    async manifestOf(people) {
      const manifest = path('people.ndjson');
      const rows = people.map(({ reference, front, selfie }) => ({ reference, front: front.uri, selfie: selfie?.uri }));
      await writeFile(manifest, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      return manifest;
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
