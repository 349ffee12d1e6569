import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Keeps a value in a file: written soon after a change, whole or not at all. */
export class DataFile {
  private readonly path: string;
  private readonly value: () => unknown;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(path: string, value: () => unknown) {
    this.path = path;
    this.value = value;
    mkdirSync(dirname(path), { recursive: true });
  }

  /**
   * @returns `undefined` if there is no such file yet
   * @throws Error if it cannot be read
   */
  read(): unknown {
    if (!existsSync(this.path)) return undefined;
    try {
      return JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (error) {
      throw new Error(`The simulator's data file ${this.path} cannot be read; delete it to start anew`, {
        cause: error,
      });
    }
  }

  changed(): void {
    if (this.closed) return;
    // Many changes in a moment cost one write.
    this.timer ??= setTimeout(() => {
      this.flush().catch((error) => process.emitWarning(`The simulator's data file is not written: ${error}`));
    }, 200);
  }

  /** Writes for the last time. */
  close(): Promise<void> {
    this.closed = true;
    return this.flush();
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const written = this.writing.then(async () => {
      await writeFile(`${this.path}.new`, JSON.stringify(this.value()));
      await rename(`${this.path}.new`, this.path);
    });
    // The next one tries again, whatever became of this one.
    this.writing = written.catch(() => undefined);
    return written;
  }
}
