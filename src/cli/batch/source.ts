import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { CliError, diskProblem, EXIT } from '../shared/exit.js';

/** A list that can be read twice: first to check all of it, then to complete its sessions. */
export interface Source {
  /** Shown in messages. */
  name: string;
  read(): Readable;
  /** The beginning, to detect the format. */
  peek(): Promise<string>;
  /** @throws CliError if the file has changed since it was opened */
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** @param file `-` for stdin, which is stored in a private temporary file */
export async function openSource(file: string, signal: AbortSignal): Promise<Source> {
  return file === '-' ? spooledStdin(signal) : opened(file, file);
}

async function spooledStdin(signal: AbortSignal): Promise<Source> {
  try {
    return await spooled(process.stdin, 'stdin', signal);
  } catch (error) {
    if (signal.aborted) throw new CliError('Interrupted. Nothing was started.', EXIT.pending);
    const why = `Cannot keep stdin in ${tmpdir()}: ${diskProblem(error)}. Nothing was started`;
    throw new CliError(`${why}. Set TMPDIR to another directory, or pass a file`, EXIT.failed);
  }
}

/** Stores a stream in a private temporary file. */
export async function spooled(input: Readable, name: string, signal: AbortSignal): Promise<Source> {
  let directory: string | undefined;
  let spool: FileHandle | undefined;
  const remove = async () => directory && rm(directory, { recursive: true, force: true });
  try {
    directory = await mkdtemp(join(tmpdir(), 'temporal-incode-batch-'));
    spool = await open(join(directory, 'list'), 'wx+', 0o600);
    // Removed while it is open, so that nothing is left behind if this process is killed. Windows cannot remove open files.
    if (process.platform !== 'win32') await remove();
    // Abortable, because the writer of the pipe may never finish.
    for await (const chunk of addAbortSignal(signal, input)) await spool.appendFile(chunk);
    const source = await sourceOf(spool, name);
    return { ...source, close: () => source.close().finally(remove) };
  } catch (error) {
    await spool?.close();
    await remove();
    throw error;
  }
}

async function opened(path: string, name: string): Promise<Source> {
  try {
    const file = await open(path, 'r');
    if ((await file.stat()).isDirectory()) throw new Error('it is a directory');
    return await sourceOf(file, name);
  } catch (error) {
    throw new CliError(`Cannot read ${name}: ${diskProblem(error)}`);
  }
}

const PEEK_BYTES = 65_536;

async function sourceOf(file: FileHandle, name: string): Promise<Source> {
  const { size, mtimeMs } = await file.stat();
  return {
    name,
    read: () => file.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1_024 }),
    async peek() {
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(PEEK_BYTES), position: 0 });
      return buffer.toString('utf8', 0, bytesRead).replace(/^\uFEFF/, '');
    },
    async checkUnchanged() {
      const now = await file.stat();
      if (now.size === size && now.mtimeMs === mtimeMs) return;
      throw new CliError(
        `${name} was changed while it was read. Run the command again: it attaches to started sessions.`,
      );
    },
    close: () => file.close(),
  };
}
