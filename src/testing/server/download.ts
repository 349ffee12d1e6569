import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { type FindOptions, PROGRAM, run, VERSION } from './program.js';

const SITE = 'https://temporal.download';

/** 150 MB over a slow line. */
const TIMEOUT_MS = 600_000;

/** Takes the archive of Temporal's own site, through the proxy that the environment names. Nothing of it runs here. */
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
    // "fetch failed" says nothing; the cause names the host that cannot be reached.
    throw error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  } finally {
    await dispatcher.destroy();
  }
  // Takes one file out of it, and recognizes zip on Windows.
  await run('tar', ['-xf', archive, '-C', directory, PROGRAM]);
  return join(directory, PROGRAM);
}

/** Empty strings keep undici from reading the environment of the process, which may not be the one that was given. */
function proxies(env: FindOptions['env']) {
  return {
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
  };
}
