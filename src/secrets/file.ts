import { readFileSync, statSync } from 'node:fs';

/** What stands in a file that may change while the process runs, such as a mounted secret. */
export interface SecretFile<T> {
  /** The file is looked at every few seconds at most, because this is asked for each request and payload. */
  value(): T;
  /** After a look at the file. */
  latest(): T;
}

export interface SecretFileOptions<T> {
  /** @throws Error without what stands in the file */
  parse: (text: string) => T;
  /** What to throw if it cannot be read. */
  unreadable: (code: string) => Error;
  /** Told once of each change that could not be taken over. @default a warning of the process, `SecretFileWarning` */
  onWarning?: ((warning: string) => void) | undefined;
}

const LOOK_EVERY_MS = 5_000;

/**
 * Reads the file, and again when it has changed. One that has become wrong changes nothing: what was read before stays.
 *
 * @throws Error if it cannot be read at the start, or what stands in it is wrong
 */
export function secretFile<T>(
  path: string,
  { parse, unreadable, onWarning = warnOfFile }: SecretFileOptions<T>,
): SecretFile<T> {
  let { stamp, value } = read();
  let lookedAt = Date.now();
  let warned: string | undefined;

  function read(unless?: string): { stamp: string; value: T } {
    // Before the text: what is written in between is read again next time.
    const now = attempt(() => stampOf(path));
    return now === unless ? { stamp, value } : { stamp: now, value: parse(attempt(() => readFileSync(path, 'utf8'))) };
  }

  function attempt(step: () => string): string {
    try {
      return step();
    } catch (error) {
      throw unreadable(String((error as NodeJS.ErrnoException).code));
    }
  }

  function latest(): T {
    lookedAt = Date.now();
    try {
      ({ stamp, value } = read(stamp));
      warned = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== warned) onWarning(`${message.replace(/\.$/, '')}. What was read before stays in use.`);
      warned = message;
    }
    return value;
  }

  return { latest, value: () => (Math.abs(Date.now() - lookedAt) >= LOOK_EVERY_MS ? latest() : value) };
}

function stampOf(path: string): string {
  // Of what a mounted secret's link points to, which is another file after each change.
  const { ino, mtimeMs, size } = statSync(path);
  return `${ino} ${mtimeMs} ${size}`;
}

function warnOfFile(warning: string): void {
  process.emitWarning(warning, 'SecretFileWarning');
}
