import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Keeps a value in a file. It is written atomically, soon after a change. */
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
    removeLeftOver(path);
  }

  /**
   * @returns `undefined` if the file does not exist
   * @throws Error if the file cannot be read
   */
  read(): unknown {
    if (!existsSync(this.path)) return undefined;
    try {
      return JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (error) {
      throw new Error(`The simulator's data file ${this.path} cannot be read; delete it to start without sessions`, {
        cause: error,
      });
    }
  }

  changed(): void {
    if (this.closed) return;
    // Collects many changes into one write.
    this.timer ??= setTimeout(() => {
      this.flush().catch((error) => process.emitWarning(`The simulator's data file is not written: ${error}`));
    }, 200);
  }

  /** Writes the file once more. */
  close(): Promise<void> {
    this.closed = true;
    return this.flush();
  }

  private flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const written = this.writing.then(async () => {
      // The random name prevents that another user of the directory prepares a link at this path.
      const temporary = `${this.path}.${randomBytes(16).toString('hex')}${SUFFIX}`;
      try {
        await writeFile(temporary, JSON.stringify(this.value()), { flag: 'wx', mode: 0o600 });
        await rename(temporary, this.path);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    });
    // A failed write does not prevent the next one.
    this.writing = written.catch(() => undefined);
    return written;
  }
}

const SUFFIX = '.new';

/** Removes the temporary file of a simulator that was killed while it wrote. */
function removeLeftOver(path: string): void {
  const isLeftOver = (name: string) =>
    name.startsWith(`${basename(path)}.`) && /^\.[0-9a-f]{32}\.new$/.test(name.slice(basename(path).length));
  for (const name of readdirSync(dirname(path)).filter(isLeftOver)) rmSync(join(dirname(path), name), { force: true });
}
