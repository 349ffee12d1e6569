import { expect, it } from 'vitest';
import { nexusWorkerOptions } from '../../src/nexus/worker-options.js';

it('a worker of the Nexus service runs as few workflow tasks at a time as one of batches, because a hostile history takes 65 MB', () => {
  // The SDK's default is 40: anyone who reaches the namespace can start a session on this task queue too.
  expect(nexusWorkerOptions('nexus', 'sessions').maxConcurrentWorkflowTaskExecutions).toBe(2);
});
