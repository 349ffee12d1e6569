import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';

/** Keeps a value in a file: written soon after a change, whole or not at all. */
export class DataFile {
  private readonly path: string;
  private readonly value: () => unknown;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(path: string, value: () => unknown) {
    this.path = path;
    this.value = value;
  }

  read(): unknown {
    return existsSync(this.path) ? JSON.parse(readFileSync(this.path, 'utf8')) : undefined;
  }

  changed(): void {
    // Many changes in a moment cost one write.
    this.timer ??= setTimeout(() => void this.flush(), 200);
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(async () => {
      await writeFile(`${this.path}.new`, JSON.stringify(this.value()));
      await rename(`${this.path}.new`, this.path);
    });
    return this.writing;
  }
}
