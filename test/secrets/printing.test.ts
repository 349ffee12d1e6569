import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { HIDDEN, redactWhenPrinted } from '../../src/secrets/printing.js';

it('redactWhenPrinted hides a secret from JSON and inspect, but not from code', () => {
  const client = redactWhenPrinted({ id: 'incode', secret: 'hush-hush' }, { id: 'incode', secret: HIDDEN });
  expect(client.secret).toBe('hush-hush');
  expect(Object.keys(client)).toEqual(['id', 'secret']);
  expect(JSON.stringify([client])).toBe('[{"id":"incode","secret":"(hidden)"}]');
  expect(inspect(client)).toBe("{ id: 'incode', secret: '(hidden)' }");
});

it('redactWhenPrinted replaces an earlier form', () => {
  expect(JSON.stringify(redactWhenPrinted(redactWhenPrinted({}, 'first'), 'then'))).toBe('"then"');
});
