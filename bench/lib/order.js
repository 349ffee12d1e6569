/** Another order in each round, so that nobody always comes after the same one, who may leave something to be cleared up. */
export function shuffled(values) {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]);
}
