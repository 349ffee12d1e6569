import { expect, it } from 'vitest';
import { type SimulatorOptions, startIncodeSimulator } from '../../src/testing/simulator/index.js';

it.each<[string, object]>([
  ['options.timeScale', { timeScale: 0 }],
  ['options.timeScale', { timeScale: -1 }],
  ['options.timeScale', { timeScale: Number.NaN }],
  ['options.timeScale', { timeScale: '1' }],
  ['options.latencyMs', { latencyMs: Number.NaN }],
  ['options.latencyMs', { latencyMs: Number.POSITIVE_INFINITY }],
  ['options.port', { port: -1 }],
  ['options.timescale', { timescale: 1 }],
])('startIncodeSimulator names %s for the invalid options %j', async (name, options) => {
  const started = startIncodeSimulator(options as SimulatorOptions);
  started.then((simulator) => simulator.close()).catch(() => undefined);
  await expect(started).rejects.toThrow(TypeError);
  await expect(started).rejects.toThrow(name);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY, '5'])('issueToken refuses expiresInMs: %s', async (expiresInMs) => {
  await using simulator = await startIncodeSimulator();
  const { interviewId } = await simulator.openSession();
  await expect(simulator.issueToken(interviewId, { expiresInMs: expiresInMs as number })).rejects.toThrow(TypeError);
});
