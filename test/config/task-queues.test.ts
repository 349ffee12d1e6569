import { describe, expect, it } from 'vitest';
import { namedTaskQueues } from '../../src/config/index.js';

describe('namedTaskQueues', () => {
  it('returns the task queues that the environment names, and null for the default ones', () => {
    expect(namedTaskQueues({ WORKER_TASK_QUEUE: 'people', WORKER_BULK_TASK_QUEUE: '' })).toEqual({
      WORKER_TASK_QUEUE: 'people',
      WORKER_BULK_TASK_QUEUE: null,
    });
    expect(namedTaskQueues({ WORKER_BULK_TASK_QUEUE: 'lists' })).toEqual({
      WORKER_TASK_QUEUE: null,
      WORKER_BULK_TASK_QUEUE: 'lists',
    });
  });
});
