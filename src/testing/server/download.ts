import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FindOptions, PROGRAM, run, VERSION } from './program.js';

/** Hashes of the unpacked program, by `process.platform` and `process.arch`. */
const PROGRAM_SHA256: Record<string, string> = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
};

const SITE = 'https://temporal.download';

/** Enough for 150 MB over a slow connection. */
const TIMEOUT_MS = 600_000;

/**
 * Downloads the archive from Temporal's site. Checks the hash before anything of it runs.
 *
 * @throws Error if the program has another hash
 */
export async function download(
  directory: string,
  { onProgress }: FindOptions,
  site = SITE,
  hashes = PROGRAM_SHA256,
): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const archive = join(directory, 'archive');
  const answer = await fetch(`${site}/cli/archive/v${VERSION}?platform=${platform}&arch=${arch}`, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!answer.ok || !answer.body) throw new Error(`${site} answered ${answer.status}`);
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive));
  // tar extracts the program alone. On Windows it also reads zip.
  await run('tar', ['-xf', archive, '-C', directory, PROGRAM]);
  const program = join(directory, PROGRAM);
  const expected = hashes[`${process.platform}-${process.arch}`];
  if (expected === undefined) {
    onProgress(`The download is not verified: no hash is known for ${process.platform}-${process.arch}`);
  } else if ((await sha256Of(program)) !== expected) {
    throw new Error('the hash of the program differs from the one of the tested program');
  }
  return program;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
