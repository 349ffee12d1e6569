import { Counter, Histogram, type Registry } from 'prom-client';
import type { GatewayEvent } from '../gateway/log.js';

/** A read takes milliseconds. Finishing may wait for a minute. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** `docs/monitoring.md` explains each metric. @returns a function that counts a request */
export function createGatewayMetrics(registry: Registry): (event: GatewayEvent) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'incode_gateway_requests_total',
    help: 'Requests to the gateway that were answered, by operation and HTTP status.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'incode_gateway_request_duration_seconds',
    help: 'How long the gateway took to answer.',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers,
  });
  return ({ operation, httpStatus, durationMs }) => {
    requests.inc({ operation, status: String(httpStatus) });
    duration.observe({ operation }, durationMs / 1_000);
  };
}
