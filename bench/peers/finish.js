import { Pool } from 'undici';
import { finishRequest } from '../lib/finish-request.js';

// All workers have it, and end with the benchmark, however that ends.
process.on('disconnect', () => process.exit());

/**
 * The call that all peers make: their own retries, so whatever is no success is thrown.
 *
 * @param settings `{url, apiKey, connections}`
 */
export function finisher({ url, apiKey, connections }) {
  const pool = new Pool(url, { connections });
  return async (session) => {
    const { statusCode, body } = await pool.request(finishRequest(apiKey, session));
    const { action, redirectionUrl } = await body.json();
    if (statusCode !== 200) throw new Error(`Incode answered ${statusCode}`);
    return { action, redirectionUrl };
  };
}
