// The workflows of this package, eight days later than the server's clock.

const { now } = Date;

class LaterDate extends Date {
  static override now(): number {
    return now() + 8 * 86_400_000;
  }
}
globalThis.Date = LaterDate as DateConstructor;

export * from '../../src/workflows/index.js';
