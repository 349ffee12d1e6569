export * from './simulator/index.js';
export {
  type LocalTemporalServer,
  type LocalTemporalServerOptions,
  startLocalTemporalServer,
} from './temporal-server.js';
