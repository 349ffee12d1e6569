import { expect, it } from 'vitest';
import { StartedRequests } from '../../src/client/people/requests.js';

const person = (reference: string, uri = 'file:a.jpg') => ({ reference, front: { uri } });

it('the client remembers the last request under a reference, with the default country', () => {
  const requests = new StartedRequests();
  requests.add(person('4711'));
  requests.add(person('4711', 'file:b.jpg'));
  expect(requests.of('4711')).toEqual({ front: { uri: 'file:b.jpg' }, countryCode: 'ALL' });
  expect(requests.of('4712')).toBeUndefined();
});

it('the client forgets the oldest of more than 10,000 requests', () => {
  const requests = new StartedRequests();
  for (let at = 0; at < 10_000; at += 1) requests.add(person(`${at}`));
  requests.add(person('0'));
  requests.add(person('one more'));
  expect(requests.of('0')).toBeDefined();
  expect(requests.of('1')).toBeUndefined();
  expect(requests.of('2')).toBeDefined();
});
