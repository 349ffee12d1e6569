import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { type FindOptions, PROGRAM, run, VERSION } from './program.js';

const SITE = 'https://temporal.download';

/** Enough for 150 MB over a slow connection. */
const TIMEOUT_MS = 600_000;

/** Downloads the archive from Temporal's site, through the proxy of the environment. It does not run the program. */
export async function download(directory: string, { env }: FindOptions, site = SITE): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const archive = join(directory, 'archive');
  const dispatcher = new EnvHttpProxyAgent(proxies(env));
  try {
    const answer = await fetch(`${site}/cli/archive/v${VERSION}?platform=${platform}&arch=${arch}`, {
      dispatcher,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok || !answer.body) throw new Error(`${site} answered ${answer.status}`);
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive));
  } catch (error) {
    // The error only says "fetch failed". Its cause names the host that cannot be reached.
    throw error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  } finally {
    await dispatcher.destroy();
  }
  // tar extracts the program alone. On Windows it also reads zip.
  await run('tar', ['-xf', archive, '-C', directory, PROGRAM]);
  return join(directory, PROGRAM);
}

/** With empty strings instead of `undefined`, undici does not read the environment of this process. */
function proxies(env: FindOptions['env']) {
  return {
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  };
}
