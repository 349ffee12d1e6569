import * as restate from '@restatedev/restate-sdk';
import { finisher } from '../finish.js';

// Restate's SDK uses it; Node has it from 22 on.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const { port, incode } = JSON.parse(process.argv[2]);
const finish = finisher(incode);

const sessions = restate.service({
  name: 'sessions',
  handlers: { complete: (context, session) => context.run('finish', () => finish(session)) },
});
await restate.serve({ services: [sessions], port, logger: () => undefined });
process.on('SIGTERM', () => process.exit());
process.send('ready');
