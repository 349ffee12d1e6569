import { describe, expect, it } from 'vitest';
import { deploymentVersion } from '../../src/config/deployment.js';
import { reader } from '../../src/config/reader.js';

function told(name: string | undefined, buildId: string | undefined) {
  const read = reader({ WORKER_DEPLOYMENT_NAME: name, WORKER_BUILD_ID: buildId });
  return { version: deploymentVersion(read), problems: read.problems };
}

describe('the version of a worker', () => {
  it('is none without both variables', () => {
    expect(told(undefined, undefined)).toEqual({ version: null, problems: [] });
  });

  it.each([
    ['kyc_workers-2', '1.4.0-rc.1+abc_def'],
    ['a'.repeat(100), 'b'.repeat(100)],
  ])('is %s, %s', (deploymentName, buildId) => {
    expect(told(deploymentName, buildId)).toEqual({ version: { deploymentName, buildId }, problems: [] });
  });

  it.each([
    ['kyc', undefined, 'WORKER_BUILD_ID is not set'],
    [undefined, '1', 'WORKER_DEPLOYMENT_NAME is not set'],
  ])('is none with one of them: %s, %s', (name, buildId, problem) => {
    expect(told(name, buildId)).toEqual({ version: null, problems: [expect.stringContaining(problem)] });
  });

  // Temporal writes both in one word, and has names of its own.
  it.each([
    ['kyc.workers', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['kyc:workers', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['__kyc', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['a'.repeat(101), '1', 'WORKER_DEPLOYMENT_NAME'],
    ['kyc', 'a b', 'WORKER_BUILD_ID'],
    ['kyc', "1'", 'WORKER_BUILD_ID'],
    ['kyc', 'b'.repeat(101), 'WORKER_BUILD_ID'],
  ])('is not %s, %s', (name, buildId, variable) => {
    const { problems } = told(name, buildId);
    expect(problems).toEqual([expect.stringMatching(`^${variable} must be letters, digits`)]);
  });
});
