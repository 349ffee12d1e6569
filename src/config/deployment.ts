import type { Reader } from './reader.js';

/** One version of the workers of a Temporal Worker Deployment. */
export interface DeploymentVersion {
  /** What all versions have in common. */
  readonly deploymentName: string;
  /** What tells them apart, such as an image's tag. */
  readonly buildId: string;
}

/** @returns `null` without a version */
export function deploymentVersion(read: Reader): DeploymentVersion | null {
  const deploymentName = read.text('WORKER_DEPLOYMENT_NAME');
  const buildId = read.text('WORKER_BUILD_ID');
  if (deploymentName === undefined && buildId === undefined) return null;
  if (deploymentName === undefined || buildId === undefined) {
    const missing = buildId === undefined ? 'WORKER_BUILD_ID' : 'WORKER_DEPLOYMENT_NAME';
    read.problems.push(`WORKER_DEPLOYMENT_NAME and WORKER_BUILD_ID belong together: ${missing} is not set`);
  }
  return { deploymentName: deploymentName ?? '', buildId: buildId ?? '' };
}
