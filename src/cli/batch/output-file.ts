import { randomBytes } from 'node:crypto';
import { rmSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError, diskProblem, EXIT } from '../shared/exit.js';

/** A file that appears under its name only when it is complete. */
export interface OutputFile {
  /** Where the text is until `commit`. */
  readonly path: string;
  append(text: string): Promise<void>;
  /** Creates or replaces the file. */
  commit(): Promise<void>;
  /** Keeps an existing file. Does nothing after `commit`. */
  discard(): Promise<void>;
}

/** Readable only by the user, because the file contains people's sessions. */
const NEW_FILE_MODE = 0o600;

interface OutputFileOptions {
  /** Replaces the mode of an existing file too, because the contents must not be shared. @default keeps it */
  isPrivate?: boolean;
}

/** @param option for messages. @throws CliError if the name is not that of a regular file, or its directory cannot be written to */
export async function openOutputFile(
  out: string,
  option = '--out',
  { isPrivate = false }: OutputFileOptions = {},
): Promise<OutputFile> {
  const directory = dirname(out);
  const stats = await existing(out, option);
  const mode = ((isPrivate ? undefined : stats?.mode) ?? NEW_FILE_MODE) & 0o777;
  await removeStale(out);
  // In the same directory, because a rename is atomic only within one file system.
  const temporary = join(directory, `${temporaryPrefix(out)}${randomBytes(16).toString('hex')}${TEMPORARY_SUFFIX}`);
  const file = await open(temporary, 'wx', NEW_FILE_MODE).catch((error) => {
    throw new CliError(`${option}: cannot write to ${directory}: ${diskProblem(error)}`);
  });
  // A second Ctrl-C or an uncaught error ends the process without `discard`.
  const removeAtExit = () => rmSync(temporary, { force: true });
  process.once('exit', removeAtExit);
  const freshening = keepFresh(file);
  const close = async () => {
    clearInterval(freshening);
    await file.close().catch(() => undefined);
  };
  let isOver = false;
  return {
    path: temporary,
    append: (text) => orDiskProblem(out, option, file.appendFile(text)),
    async commit() {
      await existing(out, option);
      await orDiskProblem(
        out,
        option,
        (async () => {
          await file.chmod(mode);
          await file.sync();
          await close();
          await rename(temporary, out);
        })(),
      );
      isOver = true;
      process.off('exit', removeAtExit);
      await syncDirectory(directory);
    },
    async discard() {
      if (isOver) return;
      await close();
      await rm(temporary, { force: true });
      process.off('exit', removeAtExit);
    },
  };
}

/**
 * Accepts only regular files: a rename would replace a symbolic link, device or FIFO with a file.
 *
 * @throws CliError
 */
async function existing(out: string, option: string): Promise<Stats | undefined> {
  const stats = await lstat(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CliError(`${option}: cannot write to ${out}: ${diskProblem(error)}`);
  });
  if (!stats || stats.isFile()) return stats;
  throw new CliError(
    `${option}: ${out} is ${kindOf(stats)}, and only a regular file can be replaced. Choose another file`,
  );
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

const TEMPORARY_SUFFIX = '.tmp';

function temporaryPrefix(out: string): string {
  return `.${basename(out)}.`;
}

/** A running process touches its file far more often than this. */
const STALE_MS = 3_600_000;
const FRESHEN_MS = 300_000;

function keepFresh(file: FileHandle): NodeJS.Timeout {
  const touch = () => void file.utimes(new Date(), new Date()).catch(() => undefined);
  return setInterval(touch, FRESHEN_MS).unref();
}

/** Removes temporary files of killed processes with the same `--out`. */
async function removeStale(out: string): Promise<void> {
  const [directory, prefix] = [dirname(out), temporaryPrefix(out)];
  const isTemporary = (name: string) =>
    name.startsWith(prefix) && /^[0-9a-f]{32}\.tmp$/.test(name.slice(prefix.length));
  const names = await readdir(directory).catch((): string[] => []);
  for (const path of names.filter(isTemporary).map((name) => join(directory, name))) {
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isFile() && Date.now() - stats.mtimeMs > STALE_MS) await unlink(path).catch(() => undefined);
  }
}

async function orDiskProblem<T>(out: string, option: string, writing: Promise<T>): Promise<T> {
  try {
    return await writing;
  } catch (error) {
    throw new CliError(`${option}: cannot write ${out}: ${diskProblem(error)}`, EXIT.failed);
  }
}

/** Makes the new name survive a power failure. Windows cannot open directories. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  await handle.sync().finally(() => handle.close());
}
