import { describe, expect, it } from 'vitest';
import { CliError, configured, diskProblem, EXIT, inputProblem, started } from '../../../src/cli/shared/exit.js';
import { ConfigError } from '../../../src/config/index.js';
import { InvalidInputError } from '../../../src/contract/index.js';
import { thrown } from '../../support/thrown.js';

describe('configured', () => {
  it('returns the configuration', () => {
    expect(configured(() => 5)).toBe(5);
  });

  it('reports an invalid configuration as wrong usage, without a stack trace', () => {
    const read = () => {
      throw new ConfigError(['INCODE_API_KEY is required']);
    };
    expect(() => configured(read)).toThrow(CliError);
    expect(() => configured(read)).toThrow(expect.objectContaining({ exitCode: EXIT.usage }));
    expect(() => configured(read)).toThrow('INCODE_API_KEY is required');
  });

  it('rethrows other errors', () => {
    const mistake = new TypeError('x is undefined');
    expect(() =>
      configured(() => {
        throw mistake;
      }),
    ).toThrow(mistake);
  });
});

describe('inputProblem', () => {
  it('says what is wrong with the input', () => {
    expect(inputProblem(new InvalidInputError('plan.close', 'must be true or false'))).toBe(
      'plan.close must be true or false',
    );
  });

  it('rethrows other errors', () => {
    const mistake = new TypeError('x is undefined');
    expect(() => inputProblem(mistake)).toThrow(mistake);
  });
});

describe('started', () => {
  it('returns the started server', async () => {
    expect(await started('The server', Promise.resolve('up'))).toBe('up');
  });

  it.each([
    [Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 8_088 }), 'port 8088 is taken'],
    [Object.assign(new Error('listen EACCES'), { code: 'EACCES', port: 80 }), 'listen EACCES'],
  ])('reports why a start failed: %s', async (error, why) => {
    const problem = await thrown(started('The server', Promise.reject(error)));
    expect(problem).toBeInstanceOf(CliError);
    expect(problem).toMatchObject({ message: `The server: ${why}`, exitCode: EXIT.failed });
  });
});

describe('diskProblem', () => {
  it.each([
    [Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }), 'the disk is full'],
    [Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }), 'permission denied'],
    [Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }), 'it does not exist'],
    [Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }), 'EMFILE: too many open files'],
    [new Error('it is gone'), 'it is gone'],
    ['a text', 'a text'],
  ])('says of %s: %s', (error, why) => {
    expect(diskProblem(error)).toBe(why);
  });
});
