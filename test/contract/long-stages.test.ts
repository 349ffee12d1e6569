import { expect, it } from 'vitest';
import { STAGES } from '../../src/contract/index.js';
import { LONG_STAGES } from '../../src/contract/long-stages.js';

it('LONG_STAGES are stages that wait for an application, an operator or a reviewer', () => {
  expect(STAGES.filter((stage) => (LONG_STAGES as readonly string[]).includes(stage))).toEqual([
    'waiting',
    'needsToken',
    'inReview',
  ]);
});
