import type { ServerResponse } from 'node:http';
import { type Answer, htmlAnswer, type Refuse } from './answer.js';
import type { Fault } from './call-types.js';
import type { Clock } from './clock.js';

/** A call that has no answer yet. */
export interface PendingCall {
  response: ServerResponse;
  clock: Clock;
  refuse: Refuse;
  /** Lets the call take effect. @returns the answer to the call */
  effect(): Promise<Answer>;
  write(answer: Answer): void;
  /** Incode's time limit for a request. */
  limitMs: number;
}

/** Kinds that look like an answer of Incode, so the call takes effect by default. */
const ANSWERS: readonly Fault['kind'][] = ['truncated', 'body', 'huge'];

export async function applyFault(call: PendingCall, fault: Fault): Promise<void> {
  const { response, clock, refuse, limitMs, write } = call;
  if (fault.kind === 'latency') return answerLate(call, fault.ms, fault.effectAfterMs ?? fault.ms);

  const { effect = ANSWERS.includes(fault.kind), effectAfterMs = 0 } = fault;
  const answer = effect ? await takeEffect(call, effectAfterMs) : undefined;
  switch (fault.kind) {
    case 'hang':
      return clock.after(limitMs, () => void response.destroy());
    case 'status': {
      const { status, headers, code, message = 'A test requested this fault' } = fault;
      if (fault.body === 'html') return write(htmlAnswer(status, headers));
      const refusal = refuse(status, message, { headers, code });
      return write(fault.body === 'empty' ? { ...refusal, body: '' } : refusal);
    }
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'truncated':
      return truncate(response, answer ?? { status: 200, body: { redirectionUrl: '', action: 'approved' } });
    case 'body':
      return write({ status: 200, body: fault.body });
    case 'huge': {
      const padding = 'x'.repeat(fault.bytes ?? 5 * 1_048_576);
      return write({ status: 200, body: { action: 'approved', padding } });
    }
    case 'redirect':
      return write({ status: fault.status ?? 302, body: '', headers: { location: fault.location } });
    default:
      fault satisfies never;
  }
}

async function answerLate(call: PendingCall, ms: number, effectAfterMs: number): Promise<void> {
  const { clock, limitMs, refuse, write } = call;
  // Scheduled first, so that the effect does not wait for the answer.
  const effect = effectAfterMs <= limitMs ? clock.after(effectAfterMs, call.effect) : undefined;
  await clock.after(Math.min(ms, limitMs), () => undefined);
  if (ms > limitMs || !effect) return write(refuse(504, 'Took too long'));
  write(await effect);
}

/** @returns the answer, or `undefined` if the effect comes later or never */
async function takeEffect({ clock, effect, limitMs }: PendingCall, afterMs: number): Promise<Answer | undefined> {
  if (afterMs === 0) return effect();
  if (afterMs <= limitMs) void clock.after(afterMs, effect);
  return undefined;
}

function truncate(response: ServerResponse, { status, body }: Answer): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  // Destroyed only once the half is written.
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}
