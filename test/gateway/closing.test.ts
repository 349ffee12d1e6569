import { EventEmitter } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import { Closing } from '../../src/gateway/closing.js';
import { Waits } from '../../src/gateway/waits.js';

it('ends a wait that begins after the gateway began to stop', async () => {
  const closing = new Closing();
  closing.close();
  const waits = new Waits(closing, () => undefined);
  const reply = { raw: new EventEmitter() } as unknown as FastifyReply;
  const waiting = waits.during({} as FastifyRequest, reply, async (signal) => signal.throwIfAborted());
  await expect(waiting).rejects.toMatchObject({ name: 'GatewayStopping' });
});
