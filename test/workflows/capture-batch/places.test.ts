import { expect, it } from 'vitest';
import { Places } from '../../../src/workflows/capture-batch/places.js';

const full = () => {
  const places = new Places();
  for (let index = 0; index < 20; index += 1) places.take(index);
  return places;
};

it('places are for 20 people, and free again when a person ends', () => {
  const places = full();
  expect(places.free).toBe(0);
  places.release(7);
  expect(places.free).toBe(1);
});

it('a place is free after one to two periods, although its person has not ended', () => {
  const places = full();
  places.release(7);
  places.nextPeriod();
  places.take(20);
  expect(places.free).toBe(0);
  places.nextPeriod();
  expect(places.free).toBe(19);
  places.nextPeriod();
  expect(places.free).toBe(20);
  places.release(3);
  expect(places.free).toBe(20);
});
