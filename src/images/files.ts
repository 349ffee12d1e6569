import type { BigIntStats } from 'node:fs';
import { access, constants, type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError } from './errors.js';
import type { ImageSource, OpenedImage } from './source.js';

/**
 * Reads images from the given directories, the roots. `file:ann/front.jpg` is relative to a root, so a worker and a client may mount the
 * same images at different paths. `file:///images/ann/front.jpg` is absolute.
 *
 * Refuses paths and symbolic links that lead out of the roots.
 *
 * @example
 * const image = await readImage([fileImages(['/images'])], { uri: 'file:ann/front.jpg' });
 */
export function fileImages(roots: readonly string[]): ImageSource {
  return {
    schemes: ['file'],
    async open(uri) {
      if (roots.length === 0) throw new ImageError(uri, 'noPlace', 'is outside the image directories');
      const absolute = roots.map((root) => resolve(root));
      for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt += 1) {
        const opened = await openOnce(uri, absolute);
        if (opened) return opened;
      }
      throw new ImageError(uri, 'truncated', 'was replaced each time that it was opened');
    },
  };
}

/** A copy that replaces the file can come between two steps of opening it. It does so once, unless somebody tries to deceive. */
const OPEN_ATTEMPTS = 5;

/** @returns `undefined` if the file was replaced meanwhile */
async function openOnce(uri: string, roots: readonly string[]): Promise<OpenedImage | undefined> {
  const path = await locate(uri, roots);
  const file = await openRegularFile(uri, path);
  let opened: OpenedImage | undefined;
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) throw new ImageError(uri, 'notAFile', `is ${kindOf(stats)}, not a file`);
    if (await isStillAt(path, file, stats)) opened = openedFile(uri, file, Number(stats.size));
    return opened;
  } finally {
    if (!opened) await file.close();
  }
}

/**
 * Makes the address of an image file.
 *
 * @example
 * fileUri('ann/front 1.jpg'); // 'file:ann/front%201.jpg'
 * @param path relative to a root, or absolute
 */
export function fileUri(path: string): string {
  // Buffer replaces half of a surrogate pair, for which encodeURIComponent would throw.
  const encoded = Buffer.from(path)
    .toString()
    .split(sep === '\\' ? /[\\/]/ : '/')
    .map(encodeURIComponent)
    .join('/');
  return `file:${isAbsolute(path) ? '//' : ''}${encoded.replace(/^([A-Za-z])%3A/, '/$1:')}`;
}

/** @returns the path inside a root, with symbolic links resolved */
async function locate(uri: string, roots: readonly string[]): Promise<string> {
  const path = pathOf(uri);
  const found = new Set<string>();
  let refusal: ImageError | undefined;
  for (const root of roots) {
    try {
      const real = await realpath(isAbsolute(path) ? path : join(root, path));
      if (isInside(await realpath(root), real)) found.add(real);
      else refusal ??= outside(uri);
    } catch (error) {
      refusal = fileError(uri, error);
    }
  }
  const [first] = found;
  // Refused, because the order of the roots would decide whose image it is.
  if (found.size > 1) throw new ImageError(uri, 'notAllowed', 'is in more than one of the image directories');
  if (first === undefined) throw (await notMounted(uri, roots)) ?? refusal ?? outside(uri);
  return first;
}

/** A directory may only have to be mounted, so the image counts as missing only if all directories are there. */
async function notMounted(uri: string, roots: readonly string[]): Promise<ImageError | undefined> {
  for (const root of roots) {
    const problem = await rootProblem(root);
    if (problem) return new ImageError(uri, 'unreadable', `is not found, and one of the image directories ${problem}`);
  }
  return undefined;
}

/** @returns what is wrong with a directory for images, if anything is. To open a file by its path, it need not be listed */
export async function rootProblem(root: string): Promise<string | undefined> {
  try {
    await access(root, constants.X_OK);
    return (await stat(root)).isDirectory() ? undefined : 'is not a directory';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
  }
}

function pathOf(uri: string): string {
  const encoded = uri.slice('file:'.length);
  try {
    // Refuses `file://host/…`, except localhost, and an encoded "/".
    const path = encoded.startsWith('/') ? fileURLToPath(uri) : decodeURIComponent(encoded);
    if (path !== '' && !path.includes('\0') && !path.split(/[\\/]/).includes('..')) return path;
  } catch {
    // Reported below, without the system's message.
  }
  throw new ImageError(uri, 'notAllowed', 'has no valid path');
}

function isInside(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function outside(uri: string): ImageError {
  return new ImageError(uri, 'notAllowed', 'is outside the image directories');
}

/** O_NOFOLLOW refuses a symbolic link that has replaced the file since `locate`. O_NONBLOCK prevents a FIFO from waiting for a writer. */
async function openRegularFile(uri: string, path: string): Promise<FileHandle> {
  try {
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw fileError(uri, error);
  }
}

/** Checks the open file itself, because a directory of its path may have been replaced by a symbolic link since `locate`. */
async function isStillAt(path: string, file: FileHandle, { ino, dev }: BigIntStats): Promise<boolean> {
  try {
    // Linux returns the path of the open file itself.
    if (process.platform === 'linux') return (await readlink(`/proc/self/fd/${file.fd}`)) === path;
    // On other systems, two swaps at the right moments remain undetected.
    const named = await lstat(path, { bigint: true });
    return named.ino === ino && named.dev === dev && (await realpath(path)) === path;
  } catch {
    return false;
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

function openedFile(uri: string, file: FileHandle, bytes: number): OpenedImage {
  const failed = (error: unknown): never => {
    throw fileError(uri, error);
  };
  return {
    bytes,
    async *read() {
      for (let position = 0; ; ) {
        const chunk = Buffer.allocUnsafe(position === 0 ? FIRST_CHUNK_BYTES : CHUNK_BYTES);
        const { bytesRead } = await file.read({ buffer: chunk, position }).catch(failed);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
        position += bytesRead;
      }
    },
    async readEnd(length) {
      const buffer = Buffer.allocUnsafe(Math.min(length, bytes));
      const { bytesRead } = await file.read({ buffer, position: Math.max(0, bytes - length) }).catch(failed);
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close().catch(() => undefined),
  };
}

/** Contains the pixel size of most images, so a check of many images reads no more of each. */
const FIRST_CHUNK_BYTES = 16_384;
const CHUNK_BYTES = 65_536;

const SYSTEM_ERRORS: Record<string, ConstructorParameters<typeof ImageError>[1]> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ENAMETOOLONG: 'missing',
  // A symbolic link replaced the file after `locate`, or symbolic links form a circle.
  ELOOP: 'notAllowed',
  // A socket cannot be opened.
  ENXIO: 'notAFile',
  EACCES: 'unreadable',
  EPERM: 'unreadable',
  EISDIR: 'notAFile',
};

const REASONS: Partial<Record<string, string>> = {
  missing: 'does not exist',
  notAllowed: 'is a symbolic link that must not be followed',
  notAFile: 'is not a file',
};

/** Omits the system's message, because it contains the machine's path. */
function fileError(uri: string, error: unknown): ImageError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  const problem = SYSTEM_ERRORS[code] ?? 'unreadable';
  return new ImageError(uri, problem, REASONS[problem] ?? `cannot be read (${code})`);
}
