import { excerpt } from '../contract/excerpt.js';
import type { Reader } from './reader.js';

/** A version of a Temporal Worker Deployment. */
export interface DeploymentVersion {
  /** The name that all versions share. */
  readonly deploymentName: string;
  /** Identifies this version, such as an image's tag. */
  readonly buildId: string;
}

/** The package's own two variables, and the two that Temporal's Worker Controller sets in each pod. */
const OWN = { name: 'WORKER_DEPLOYMENT_NAME', build: 'WORKER_BUILD_ID' };
const CONTROLLER = { name: 'TEMPORAL_DEPLOYMENT_NAME', build: 'TEMPORAL_WORKER_BUILD_ID' };

/** @returns `null` if no version is configured */
export function deploymentVersion(read: Reader): DeploymentVersion | null {
  const isSet = ({ name, build }: typeof OWN) => read.text(name) !== undefined || read.text(build) !== undefined;
  // A name from one pair with a build id from the other would be a version that nobody deployed.
  const variables = isSet(OWN) ? OWN : CONTROLLER;
  const deploymentName = read.text(variables.name);
  const buildId = read.text(variables.build);
  if (deploymentName === undefined && buildId === undefined) return null;
  if (deploymentName === undefined || buildId === undefined) {
    const missing = buildId === undefined ? variables.build : variables.name;
    read.problems.push(`${variables.name} and ${variables.build} belong together: ${missing} is not set`);
    return null;
  }
  if (!DEPLOYMENT_NAME.test(deploymentName)) {
    const problem = `must be letters, digits, "-", "_" and "/", not "${excerpt(deploymentName)}"`;
    read.problems.push(`${variables.name} ${problem}`);
  }
  if (!BUILD_ID.test(buildId)) {
    read.problems.push(`${variables.build} must be letters, digits, ".", "-", "_" and "+", not "${excerpt(buildId)}"`);
  }
  return { deploymentName, buildId };
}

// Temporal writes `name:buildId`, formerly `name.buildId`, also in queries. It reserves names that begin with two underscores. The Worker
// Controller writes `namespace/name`.
const DEPLOYMENT_NAME = /^(?!__)[\w/-]{1,200}$/;
const BUILD_ID = /^[\w.+-]{1,200}$/;
