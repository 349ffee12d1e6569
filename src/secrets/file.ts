import { readFileSync } from 'node:fs';

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

/** The files of this process, by path: the latest reader of each tells whether it is wrong now. */
const inUse = new Map<string, () => boolean>();

/** @returns how many files with secrets are missing, unreadable, empty or otherwise wrong now */
export function wrongSecretFiles(): number {
  return [...inUse.values()].filter((isWrong) => isWrong()).length;
}

/**
 * Reads the file, and again when it has changed. One that has become wrong changes nothing: what was read before stays.
 *
 * @throws Error if it cannot be read at the start, or what stands in it is wrong
 */
export function secretFile<T>(
  path: string,
  { parse, unreadable, onWarning = warnOfFile }: SecretFileOptions<T>,
): SecretFile<T> {
  let text = textOf();
  let value = parse(text);
  let lookedAt = Date.now();
  let warned: string | undefined;

  function textOf(): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw unreadable(String((error as NodeJS.ErrnoException).code));
    }
  }

  function latest(): T {
    lookedAt = Date.now();
    try {
      // What it says, not when it was written: two writes may have one time, and a file may be half written at any time.
      const now = textOf();
      if (now !== text) value = parse(now);
      text = now;
      warned = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== warned) onWarning(`${message.replace(/\.$/, '')}. What was read before stays in use.`);
      warned = message;
    }
    return value;
  }

  const current = () => (Math.abs(Date.now() - lookedAt) >= LOOK_EVERY_MS ? latest() : value);
  inUse.set(path, () => {
    current();
    return warned !== undefined;
  });
  return { latest, value: current };
}

function warnOfFile(warning: string): void {
  process.emitWarning(warning, 'SecretFileWarning');
}
