import { expect, it } from 'vitest';
import { Closing } from '../../src/gateway/closing.js';

it('ends a wait that begins after the gateway began to stop', async () => {
  const closing = new Closing();
  closing.close();
  await expect(closing.orClosing(new Promise(() => {}))).resolves.toBeUndefined();
});
