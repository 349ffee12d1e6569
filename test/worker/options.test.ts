import { expect, it } from 'vitest';
import { readConfig } from '../../src/config/index.js';
import { bulkOptions, onboardingOptions } from '../../src/worker/options.js';

const config = readConfig({ INCODE_BASE_URL: 'https://demo-api.incodesmile.com', INCODE_API_KEY: 'any' });
const incode = {} as never;

it('a worker runs 5 workflow tasks of sessions and 2 of shards at a time', () => {
  // The SDK's default of 40 does not fit into the memory limit of ops/kubernetes.yml.
  expect(onboardingOptions(config, { incode, executive: undefined }, {}).maxConcurrentWorkflowTaskExecutions).toBe(5);
  expect(bulkOptions(config, 1, { incode, executive: undefined }, {}).maxConcurrentWorkflowTaskExecutions).toBe(2);
});

it('a worker polls each partition of the task queue of batches several times, whatever its number of activities', () => {
  const few = { ...config, bulkActivities: 1 };
  const activities = [1, 4].map(
    (partitions) =>
      bulkOptions(few, partitions, { incode, executive: undefined }, {}).maxConcurrentActivityTaskExecutions,
  );
  expect(activities).toEqual([1, 12]);
});
