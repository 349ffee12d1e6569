import { describe, expect, it } from 'vitest';
import { deploymentVersion } from '../../src/config/deployment.js';
import { reader } from '../../src/config/reader.js';

function read(name: string | undefined, buildId: string | undefined) {
  const variables = reader({ WORKER_DEPLOYMENT_NAME: name, WORKER_BUILD_ID: buildId });
  return { version: deploymentVersion(variables), problems: variables.problems };
}

describe('deploymentVersion', () => {
  it('returns null if neither variable is set', () => {
    expect(read(undefined, undefined)).toEqual({ version: null, problems: [] });
  });

  it.each([
    ['kyc_workers-2', '1.4.0-rc.1+abc_def'],
    ['a'.repeat(100), 'b'.repeat(100)],
  ])('accepts the name %s with the build id %s', (deploymentName, buildId) => {
    expect(read(deploymentName, buildId)).toEqual({ version: { deploymentName, buildId }, problems: [] });
  });

  it.each([
    ['kyc', undefined, 'WORKER_BUILD_ID is not set'],
    [undefined, '1', 'WORKER_DEPLOYMENT_NAME is not set'],
  ])('requires both variables: refuses the name %s with the build id %s', (name, buildId, problem) => {
    expect(read(name, buildId)).toEqual({ version: null, problems: [expect.stringContaining(problem)] });
  });

  // Temporal joins both into one word, and reserves names that begin with two underscores.
  it.each([
    ['kyc.workers', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['kyc:workers', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['__kyc', '1', 'WORKER_DEPLOYMENT_NAME'],
    ['a'.repeat(101), '1', 'WORKER_DEPLOYMENT_NAME'],
    ['kyc', 'a b', 'WORKER_BUILD_ID'],
    ['kyc', "1'", 'WORKER_BUILD_ID'],
    ['kyc', 'b'.repeat(101), 'WORKER_BUILD_ID'],
  ])('refuses the name %s with the build id %s', (name, buildId, variable) => {
    const { problems } = read(name, buildId);
    expect(problems).toEqual([expect.stringMatching(`^${variable} must be letters, digits`)]);
  });
});
