import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { createWorker, readConfig } from 'temporal-incode/worker';
import {
  type IncodeSimulator,
  type SimulatorOptions,
  startIncodeSimulator,
  startLocalTemporalServer,
} from '../../src/testing/index.js';
import { API_KEY } from './world.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A program of `examples/` in a separate process, run from TypeScript as its readme describes. */
export interface Example {
  /** Waits until the output matches. @returns the pattern's first group */
  wrote(pattern: RegExp): Promise<string>;
  /** Waits for a promise, and fails if the program ends first. */
  whileRunning<T>(promise: Promise<T>): Promise<T>;
  /** Sends SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function startExample(file: string, env: Record<string, string>): Example {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    cwd: ROOT,
    env: { ...withoutTemporal(process.env), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const written = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      written.emit('more');
    });
  }
  const closed = once(child, 'close');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = await closed;
    return code;
  };
  async function whileRunning<T>(promise: Promise<T>): Promise<T> {
    const ended = closed.then(([code]) => {
      throw new Error(`${file} ended with ${code}:\n${output}`);
    });
    return Promise.race([promise, ended]);
  }
  return {
    whileRunning,
    async wrote(pattern) {
      for (;;) {
        const found = pattern.exec(output);
        if (found) return found[1] ?? '';
        await whileRunning(once(written, 'more'));
      }
    },
    stop: () => end('SIGTERM'),
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}

/** The SDK's log line for a worker that polls. */
export const WORKER_RUNS = /state: 'RUNNING'/;

/** A separate server, because examples use the default task queues and namespace. */
export interface ExampleWorld {
  simulator: IncodeSimulator;
  temporal: Client;
  /** The environment for a program that uses the simulator and the server. */
  env: Record<string, string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startExampleWorld(simulated: SimulatorOptions = {}): Promise<ExampleWorld> {
  const simulator = await startIncodeSimulator({ apiKeys: [API_KEY], ...simulated });
  const server = await startLocalTemporalServer({ env: withoutTemporal(process.env) });
  const connection = await Connection.connect({ address: server.address });
  return {
    simulator,
    temporal: new Client({ connection }),
    env: {
      TEMPORAL_ADDRESS: server.address,
      INCODE_BASE_URL: simulator.url,
      INCODE_API_KEY: API_KEY,
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server.stop();
      await simulator.close();
    },
  };
}

/** A worker on the default task queues, as `temporal-incode worker` runs it. */
export async function startOnboardingWorker({ env }: ExampleWorld): Promise<AsyncDisposable> {
  const worker = await createWorker(readConfig(env));
  const running = worker.run();
  return {
    async [Symbol.asyncDispose]() {
      worker.shutdown();
      await running;
    },
  };
}

/** Removes Temporal's variables, except the one that names the server's binary. */
function withoutTemporal(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_') || name === 'TEMPORAL_CLI_PATH'),
  );
}
