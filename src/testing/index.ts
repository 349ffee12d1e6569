export * from './simulator/index.js';
export {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from './temporal-server.js';
export { passTime } from './time-skipping.js';
