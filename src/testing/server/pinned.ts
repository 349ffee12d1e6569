import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/**
 * Hashes of the unpacked program in {@link VERSION}, by `process.platform` and `process.arch`. Windows has no hash, because this package is not tested there.
 */
const PROGRAM_SHA256: Readonly<Record<string, string>> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
};

export const PLATFORM = `${process.platform}-${process.arch}`;

/** @returns `null` if no downloaded program may run on this platform */
export function pinnedHash(): string | null {
  return PROGRAM_SHA256[PLATFORM] ?? null;
}

interface Remembered {
  size: number;
  mtimeMs: number;
  ctimeMs: number;
  sha256: string;
}

/**
 * Whether a cached program still has the hash. Hashing 150 MB takes a third of a second, so a file next to the program keeps the result as
 * long as size and times stay the same. This detects a replaced or damaged program. It is no protection against a user who can write to
 * the folder.
 */
export async function isUnchanged(program: string, sha256: string): Promise<boolean> {
  const record = `${program}.json`;
  try {
    const { size, mtimeMs, ctimeMs } = await stat(program);
    const now: Remembered = { size, mtimeMs, ctimeMs, sha256 };
    if ((await readFile(record, 'utf8').catch(() => '')) === JSON.stringify(now)) return true;
    if ((await sha256Of(program)) !== sha256) return false;
    // Without write access to the folder, the next start hashes again.
    await writeFile(record, JSON.stringify(now)).catch(() => undefined);
    return true;
  } catch {
    return false;
  }
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
