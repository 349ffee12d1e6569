import { Counter, Histogram, type Registry } from 'prom-client';
import type { WebhookEvent, WebhookResult } from '../webhook/index.js';

/** Temporal accepts a delivery within milliseconds. After 8 s the receiver asks Incode to send it again. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

// Keys of a typed object, so that the compiler reports a missing one.
const RESULTS = Object.keys({
  delivered: 0,
  ended: 0,
  unknownSession: 0,
  ignored: 0,
  tokenIssued: 0,
  malformed: 0,
  unauthenticated: 0,
  wrongMethod: 0,
  incomplete: 0,
  tooLarge: 0,
  wrongContentType: 0,
  tooMany: 0,
  alreadyRead: 0,
  failed: 0,
  unavailable: 0,
} satisfies Record<WebhookResult, 0>);

/** `docs/monitoring.md` explains each metric. @returns a function that counts a request */
export function createReceiverMetrics(registry: Registry): (event: WebhookEvent) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'incode_webhook_requests_total',
    help: 'Requests to the webhook receiver that were answered, by endpoint (delivery, token) and result.',
    labelNames: ['endpoint', 'result'],
    registers,
  });
  const duration = new Histogram({
    name: 'incode_webhook_request_duration_seconds',
    help: 'How long the webhook receiver took to answer.',
    labelNames: ['endpoint'],
    buckets: SECONDS,
    registers,
  });
  // Series start at zero, so that the first failure of its kind is an increase and not a new series.
  for (const endpoint of ['delivery', 'token'] satisfies WebhookEvent['endpoint'][]) {
    duration.zero({ endpoint });
    for (const result of RESULTS) requests.inc({ endpoint, result }, 0);
  }
  return ({ endpoint, result, durationMs }) => {
    requests.inc({ endpoint, result });
    duration.observe({ endpoint }, durationMs / 1_000);
  };
}
