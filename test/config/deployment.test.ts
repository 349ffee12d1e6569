import { describe, expect, it } from 'vitest';
import { deploymentVersion } from '../../src/config/deployment.js';
import { reader } from '../../src/config/reader.js';

function read(name: string | undefined, buildId: string | undefined) {
  return readFrom({ WORKER_DEPLOYMENT_NAME: name, WORKER_BUILD_ID: buildId });
}

function readFrom(env: Record<string, string | undefined>) {
  const variables = reader(env);
  return { version: deploymentVersion(variables), problems: variables.problems };
}

describe('deploymentVersion', () => {
  it('returns null if neither variable is set', () => {
    expect(read(undefined, undefined)).toEqual({ version: null, problems: [] });
  });

  it.each([
    ['kyc_workers-2', '1.4.0-rc.1+abc_def'],
    // The Worker Controller names a deployment after its Kubernetes namespace and its resource.
    ['identity/incode-onboarding', 'v1-4-0-5d8f'],
    ['a'.repeat(200), 'b'.repeat(200)],
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
    ['a'.repeat(201), '1', 'WORKER_DEPLOYMENT_NAME'],
    ['kyc', 'a b', 'WORKER_BUILD_ID'],
    ['kyc', "1'", 'WORKER_BUILD_ID'],
    ['kyc', 'b'.repeat(201), 'WORKER_BUILD_ID'],
  ])('refuses the name %s with the build id %s', (name, buildId, variable) => {
    const { problems } = read(name, buildId);
    expect(problems).toEqual([expect.stringMatching(`^${variable} must be letters, digits`)]);
  });

  it("reads the variables of Temporal's Worker Controller", () => {
    const env = { TEMPORAL_DEPLOYMENT_NAME: 'identity/incode', TEMPORAL_WORKER_BUILD_ID: '1-4-0' };
    expect(readFrom(env)).toEqual({ version: { deploymentName: 'identity/incode', buildId: '1-4-0' }, problems: [] });
  });

  it.each([
    [
      { WORKER_DEPLOYMENT_NAME: 'kyc', WORKER_BUILD_ID: '1' },
      { deploymentName: 'kyc', buildId: '1' },
    ],
    [{ WORKER_DEPLOYMENT_NAME: 'kyc' }, null],
  ])('takes no part of a version from the Worker Controller if %j is set', (own, version) => {
    const controller = { TEMPORAL_DEPLOYMENT_NAME: 'identity/incode', TEMPORAL_WORKER_BUILD_ID: '1-4-0' };
    expect(readFrom({ ...controller, ...own }).version).toEqual(version);
  });

  it('names the variable of the Worker Controller that is missing or wrong', () => {
    expect(readFrom({ TEMPORAL_DEPLOYMENT_NAME: 'kyc' }).problems).toEqual([
      'TEMPORAL_DEPLOYMENT_NAME and TEMPORAL_WORKER_BUILD_ID belong together: TEMPORAL_WORKER_BUILD_ID is not set',
    ]);
    const { problems } = readFrom({ TEMPORAL_DEPLOYMENT_NAME: 'a.b', TEMPORAL_WORKER_BUILD_ID: '1' });
    expect(problems).toEqual([expect.stringMatching('^TEMPORAL_DEPLOYMENT_NAME must be')]);
  });
});
