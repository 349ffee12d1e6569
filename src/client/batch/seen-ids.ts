const FIRST_CAPACITY = 1 << 12;

/**
 * Remembers where each id or token was first seen. Stores a 64-bit hash instead of a string, so a million ids fit into 24 MB. Two
 * ids with the same hash count as one: among a million ids this happens once in 37 million batches.
 */
export class SeenIds {
  private high = new Uint32Array(FIRST_CAPACITY);
  private low = new Uint32Array(FIRST_CAPACITY);
  /** 0 for an empty slot. */
  private places = new Uint32Array(FIRST_CAPACITY);
  private count = 0;

  /** @returns the place where the id was first seen, which is `place` if the id is new */
  see(id: string, place: number): number {
    const [high, low] = hash64(id);
    const slot = this.slotOf(high, low);
    const known = this.places[slot] as number;
    if (known > 0) return known - 1;
    this.put(slot, high, low, place + 1);
    this.count += 1;
    if (this.count * 2 > this.places.length) this.grow();
    return place;
  }

  private slotOf(high: number, low: number): number {
    const mask = this.places.length - 1;
    let slot = low & mask;
    while (this.places[slot] !== 0 && (this.high[slot] !== high || this.low[slot] !== low)) slot = (slot + 1) & mask;
    return slot;
  }

  private put(slot: number, high: number, low: number, place: number): void {
    this.high[slot] = high;
    this.low[slot] = low;
    this.places[slot] = place;
  }

  private grow(): void {
    const { high, low, places } = this;
    const capacity = places.length * 2;
    this.high = new Uint32Array(capacity);
    this.low = new Uint32Array(capacity);
    this.places = new Uint32Array(capacity);
    places.forEach((place, slot) => {
      if (place === 0) return;
      const [first, second] = [high[slot] as number, low[slot] as number];
      this.put(this.slotOf(first, second), first, second, place);
    });
  }
}

/** Two mixing rounds of MurmurHash3: well distributed, but not cryptographic. */
function hash64(text: string): [high: number, low: number] {
  let first = 0xdeadbeef;
  let second = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    first = Math.imul(first ^ code, 2_654_435_761);
    second = Math.imul(second ^ code, 1_597_334_677);
  }
  first = Math.imul(first ^ (first >>> 16), 2_246_822_507) ^ Math.imul(second ^ (second >>> 13), 3_266_489_909);
  second = Math.imul(second ^ (second >>> 16), 2_246_822_507) ^ Math.imul(first ^ (first >>> 13), 3_266_489_909);
  return [first >>> 0, second >>> 0];
}
