import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { HIDDEN, redactWhenPrinted } from '../../src/secrets/printing.js';

it('an object with a secret is used as it is, and shown without', () => {
  const client = redactWhenPrinted({ id: 'incode', secret: 'hush-hush' }, { id: 'incode', secret: HIDDEN });
  expect(client.secret).toBe('hush-hush');
  expect(Object.keys(client)).toEqual(['id', 'secret']);
  expect(JSON.stringify([client])).toBe('[{"id":"incode","secret":"(hidden)"}]');
  expect(inspect(client)).toBe("{ id: 'incode', secret: '(hidden)' }");
});

it('it can be shown otherwise later', () => {
  expect(JSON.stringify(redactWhenPrinted(redactWhenPrinted({}, 'first'), 'then'))).toBe('"then"');
});
