import { excerpt } from '../contract/excerpt.js';
import type { Reader } from './reader.js';

/** A version of a Temporal Worker Deployment. */
export interface DeploymentVersion {
  /** The name that all versions share. */
  readonly deploymentName: string;
  /** Identifies this version, such as an image's tag. */
  readonly buildId: string;
}

/** @returns `null` if no version is configured */
export function deploymentVersion(read: Reader): DeploymentVersion | null {
  const deploymentName = read.text('WORKER_DEPLOYMENT_NAME');
  const buildId = read.text('WORKER_BUILD_ID');
  if (deploymentName === undefined && buildId === undefined) return null;
  if (deploymentName === undefined || buildId === undefined) {
    const missing = buildId === undefined ? 'WORKER_BUILD_ID' : 'WORKER_DEPLOYMENT_NAME';
    read.problems.push(`WORKER_DEPLOYMENT_NAME and WORKER_BUILD_ID belong together: ${missing} is not set`);
    return null;
  }
  if (!DEPLOYMENT_NAME.test(deploymentName)) {
    read.problems.push(`WORKER_DEPLOYMENT_NAME must be letters, digits, "-" and "_", not "${excerpt(deploymentName)}"`);
  }
  if (!BUILD_ID.test(buildId)) {
    read.problems.push(`WORKER_BUILD_ID must be letters, digits, ".", "-", "_" and "+", not "${excerpt(buildId)}"`);
  }
  return { deploymentName, buildId };
}

// Temporal writes `name:buildId`, formerly `name.buildId`, also in queries. It reserves names that begin with two underscores.
const DEPLOYMENT_NAME = /^(?!__)[\w-]{1,100}$/;
const BUILD_ID = /^[\w.+-]{1,100}$/;
