import type { ServerResponse } from 'node:http';
import { type Answer, errorAnswer } from './answer.js';
import type { Fault } from './types.js';

export interface Exchange {
  response: ServerResponse;
  /** Lets the call take effect, and tells what the answer would be. */
  effect(): Promise<Answer>;
  write(answer: Answer): void;
  /** After which Incode ends a request. */
  limitMs: number;
}

const HTML =
  '<html><head><title>502 Bad Gateway</title></head><body><center><h1>Bad Gateway</h1></center></body></html>';

export async function applyFault(exchange: Exchange, fault: Fault, path: string): Promise<void> {
  const { response } = exchange;
  const effect = async (by: boolean) => (by ? await exchange.effect() : undefined);
  switch (fault.kind) {
    case 'latency': {
      await delay(Math.min(fault.ms, exchange.limitMs));
      if (fault.ms > exchange.limitMs) return exchange.write(errorAnswer(504, 'Took too long', path));
      return exchange.write(await exchange.effect());
    }
    case 'hang':
      await effect(fault.effect ?? false);
      await delay(exchange.limitMs);
      response.destroy();
      return;
    case 'status': {
      await effect(fault.effect ?? false);
      const answer = errorAnswer(fault.status, 'A fault was asked for', path, fault.headers);
      if (fault.body === 'html') {
        return exchange.write({ ...answer, body: HTML, headers: { ...fault.headers, 'content-type': 'text/html' } });
      }
      return exchange.write(fault.body === 'empty' ? { ...answer, body: '' } : answer);
    }
    case 'reset':
      await effect(fault.effect ?? false);
      response.socket?.resetAndDestroy();
      return;
    case 'truncated': {
      const answer = (await effect(fault.effect ?? true)) ?? { status: 200, body: { action: 'approved' } };
      const text = JSON.stringify(answer.body);
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.write(text.slice(0, text.length / 2));
      // Ended once the half is on its way, not before.
      setTimeout(() => response.destroy(), 20);
      return;
    }
    case 'body':
      await effect(fault.effect ?? true);
      return exchange.write({ status: 200, body: fault.body });
    case 'huge': {
      await effect(fault.effect ?? true);
      return exchange.write({
        status: 200,
        body: { action: 'approved', padding: 'x'.repeat(fault.bytes ?? 5 * 1_048_576) },
      });
    }
    case 'redirect':
      return exchange.write({ status: 302, body: '', headers: { location: fault.location } });
    default:
      fault satisfies never;
  }
}

function delay(ms: number): Promise<void> {
  // A server that is closed must not wait for it.
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
