import { readFileSync } from 'node:fs';

/** The content of a file that may change while the process runs, such as a mounted secret. */
export interface SecretFile<T> {
  /** Reads the file at most every few seconds, because this is called for each request and payload. */
  value(): T;
  /** Reads the file first. */
  latest(): T;
}

interface SecretFileOptions<T> {
  /** @throws Error that does not repeat the content */
  parse: (text: string) => T;
  /** The error to throw if the file cannot be read. */
  unreadable: (code: string) => Error;
  /** Called once for each invalid change. @default a process warning, `SecretFileWarning` */
  onWarning?: ((warning: string) => void) | undefined;
}

const READ_EVERY_MS = 5_000;

/** This process's secret files by path. The latest reader of each tells whether the file is invalid now. */
const inUse = new Map<string, () => boolean>();

/** @returns how many secret files are missing, unreadable, empty or otherwise invalid now */
export function wrongSecretFiles(): number {
  return [...inUse.values()].filter((isWrong) => isWrong()).length;
}

/**
 * Reads a file now, and again when it changes. If a change is invalid, the last valid value stays in use.
 *
 * @throws Error if the file cannot be read or is invalid now
 */
export function secretFile<T>(
  path: string,
  { parse, unreadable, onWarning = warnOfFile }: SecretFileOptions<T>,
): SecretFile<T> {
  let text = textOf();
  let value = parse(text);
  let readAt = Date.now();
  let warned: string | undefined;

  function textOf(): string {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw unreadable(String((error as NodeJS.ErrnoException).code));
    }
  }

  function latest(): T {
    readAt = Date.now();
    try {
      // Compares the content, not the time of the last write: two writes may have the same time.
      const now = textOf();
      if (now !== text) value = parse(now);
      text = now;
      warned = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== warned) onWarning(`${message.replace(/\.$/, '')}. The last valid value stays in use.`);
      warned = message;
    }
    return value;
  }

  const current = () => (Math.abs(Date.now() - readAt) >= READ_EVERY_MS ? latest() : value);
  inUse.set(path, () => {
    current();
    return warned !== undefined;
  });
  return { latest, value: current };
}

function warnOfFile(warning: string): void {
  process.emitWarning(warning, 'SecretFileWarning');
}
