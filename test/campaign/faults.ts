import type { Fault, FaultEffect, SimulatedOperation } from '../../src/testing/index.js';
import type { Random } from './random.js';
import { FINISH_TIMEOUT_MS, INCODE_LIMIT_MS } from './types.js';

/** The calls that a worker makes for a session. The token source calls `start`. */
const OPERATIONS: readonly [SimulatedOperation, ...SimulatedOperation[]] = [
  ...([
    'finishStatus',
    'finishStatus',
    'finishStatus',
    'finishStatus',
    'onboardingStatus',
    'onboardingStatus',
  ] as const),
  ...(['score', 'closeSession', 'start'] as const),
];

/** A fault for one or two calls of a session. */
export function anyFault(random: Random): Fault {
  const operation = random.pick(OPERATIONS);
  return {
    operation,
    skip: random.pick([0, 0, 0, 1]),
    times: random.pick([1, 1, 1, 2]),
    ...effectOn(random, operation),
  };
}

/** Any effect of a fault on one call. */
export function effectOn(random: Random, operation: SimulatedOperation): FaultEffect {
  const timing = {
    effect: random.chance(0.5),
    // A late effect, possibly after the client got another answer. Beyond the limit there is no effect.
    effectAfterMs: random.pick([0, 0, random.between(0, INCODE_LIMIT_MS), INCODE_LIMIT_MS - 20]),
  };
  const makers: readonly [() => FaultEffect, ...(() => FaultEffect)[]] = [
    () => ({ kind: 'latency', ms: random.between(0, FINISH_TIMEOUT_MS + 200) }),
    () => ({ kind: 'hang', ...timing }),
    () => ({ kind: 'hang', ...timing }),
    () => ({ kind: 'reset', ...timing }),
    () => ({ kind: 'reset', ...timing }),
    () => ({ kind: 'truncated', ...timing }),
    () => ({ kind: 'huge', bytes: 1_500_000, ...timing }),
    () => ({ kind: 'body', body: bodyOn(random, operation), ...timing }),
    () => ({
      kind: 'status',
      status: random.pick([500, 502, 502, 504, 504, 520]),
      body: random.pick(['json', 'html', 'empty']),
      ...timing,
    }),
    () => ({ kind: 'status', status: random.pick([408, 425, 429, 503]), ...timing }),
    () => ({
      kind: 'status',
      status: random.pick([429, 503]),
      headers: { 'retry-after': random.pick(['0', '1', '2']) },
    }),
    () => ({ kind: 'status', status: 204, ...timing }),
    () => ({ kind: 'status', status: 401, ...timing }),
    // A rare permanent refusal.
    () =>
      random.chance(0.4)
        ? { kind: 'status', status: random.pick([400, 404, 405, 406, 409]), ...timing }
        : { kind: 'hang', ...timing },
    () => (random.chance(0.3) ? { kind: 'status', status: 403, ...timing } : { kind: 'reset', ...timing }),
    () =>
      random.chance(0.2)
        ? { kind: 'redirect', location: 'https://example.com/', ...timing }
        : { kind: 'hang', ...timing },
  ];
  return random.pick(makers)();
}

/** For the status also the answer of a lagging replica, the only case in which a session may be finished twice. */
function bodyOn(random: Random, operation: SimulatedOperation): string {
  if (operation === 'onboardingStatus') return '{"onboardingStatus":"UNKNOWN"}';
  return random.pick(['', '[]', '<html>', 'null', '{"timestamp":1,"status":400,"error":"Bad Request"}']);
}

/** The fault of every call during an outage. Incode's load balancer answers, so there is no effect. */
export function outageEffect(random: Random): FaultEffect {
  return random.pick<FaultEffect>([
    { kind: 'status', status: 503 },
    { kind: 'status', status: 503, headers: { 'retry-after': '1' } },
    { kind: 'status', status: 502, body: 'html' },
    { kind: 'status', status: 500 },
    { kind: 'reset' },
    { kind: 'reset', effect: true },
    { kind: 'hang' },
    { kind: 'hang', effect: true, effectAfterMs: INCODE_LIMIT_MS - 20 },
    { kind: 'status', status: 504, effect: true, effectAfterMs: INCODE_LIMIT_MS / 2 },
    { kind: 'latency', ms: 300 },
  ]);
}
