import { Pool } from 'undici';

// All workers have it, and end with the benchmark, however that ends.
process.on('disconnect', () => process.exit());

/**
 * The call that all peers make: their own retries, so whatever is no success is thrown.
 *
 * @param settings `{url, apiKey, connections}`
 */
export function finisher({ url, apiKey, connections }) {
  const pool = new Pool(url, { connections });
  return async ({ sessionToken }) => {
    const { statusCode, body } = await pool.request({
      path: '/omni/finish-status',
      method: 'GET',
      headers: {
        'content-type': 'application/json',
        'api-version': '1.0',
        'x-api-key': apiKey,
        'x-incode-hardware-id': sessionToken,
      },
    });
    const { action, redirectionUrl } = await body.json();
    if (statusCode !== 200) throw new Error(`Incode answered ${statusCode}`);
    return { action, redirectionUrl };
  };
}
