import { afterEach, expect, it } from 'vitest';
import type { LogLevel } from '../../src/config/index.js';
import * as logging from '../../src/monitoring/logger.js';

const written: string[] = [];
const createLogger = (level: LogLevel) => logging.createLogger(level, { write: (line) => written.push(line) });
afterEach(() => {
  written.length = 0;
});

function lines(): Record<string, unknown>[] {
  return written.map((line) => {
    expect(line).toMatch(/^\{.*\}\n$/);
    return JSON.parse(line);
  });
}

it('createLogger writes a line of JSON with the fields of the SDK, except its timestamp', () => {
  createLogger('info').info('Worker ready', { taskQueue: 'any', attempt: 2n, timestampNanos: 1n });
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      taskQueue: 'any',
      attempt: 2,
      msg: 'Worker ready',
    },
  ]);
});

it('createLogger writes nothing below its level', () => {
  const { trace, debug, info, warn, error } = createLogger('warn');
  for (const log of [trace, debug, info, warn, error]) log('said');
  expect(lines().map(({ level }) => level)).toEqual(['warn', 'error']);
});

it('createLogger writes the message, stack and cause of an error, but no other properties', () => {
  const error = Object.assign(new TypeError('wrong', { cause: new Error('deeper') }), { token: 'must-not-be-seen' });
  createLogger('info').error('Failed', { error });
  expect(lines()).toMatchObject([
    {
      err: {
        type: 'TypeError',
        message: 'wrong',
        stack: expect.stringContaining('logger.test'),
        cause: { message: 'deeper' },
      },
    },
  ]);
  expect(written.join()).not.toContain('must-not-be-seen');
});

it('createLogger writes a line even for fields with a circular reference', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  createLogger('info').info('Said', circle);
  expect(lines()).toMatchObject([{ level: 'info', msg: 'Said' }]);
});
