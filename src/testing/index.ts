export {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from './server/index.js';
export * from './simulator/index.js';
export { passTime } from './time-skipping.js';
