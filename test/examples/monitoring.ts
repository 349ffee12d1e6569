// Shown in docs/monitoring.md.
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { createWorker, readConfig } from 'temporal-incode/worker';

declare const tracing: ActivityInterceptorsFactory;
declare function report(what: object): void;
const config = readConfig();

const worker = await createWorker(config, {
  // 'finishStatus', 'ok', 200, 312
  onCall: ({ operation, outcome, httpStatus, durationMs }) => report({ operation, outcome, httpStatus, durationMs }),
  // { type: 'verification', result: 'finished' }
  observe: (event) => report(event),
  interceptors: { activity: [tracing] },
});

export { worker };
