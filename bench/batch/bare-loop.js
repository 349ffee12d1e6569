import { setTimeout } from 'node:timers/promises';
import { Pool } from 'undici';
import { finishRequest } from '../lib/finish-request.js';

/**
 * What somebody would write who needs no durability: so many connections, one request after the other on each, what is
 * answered 503 again a second later. Results live in memory, and die with it.
 */
export async function bareLoop({ url, apiKey, sessions, connections }) {
  const pool = new Pool(url, { connections });
  const left = sessions.values();
  const retries = [];
  const results = [];
  const finish = async (session) => {
    const { statusCode, body } = await pool.request(finishRequest(apiKey, session));
    const answer = await body.json();
    if (statusCode === 503) retries.push(setTimeout(1_000).then(() => finish(session)));
    else if (statusCode !== 200) throw new Error(`Incode answered ${statusCode}`);
    else results.push(answer.action);
  };
  const lane = async () => {
    for (const session of left) await finish(session);
  };
  await Promise.all(Array.from({ length: connections }, lane));
  while (retries.length > 0) await retries.pop();
  await pool.close();
  if (results.length !== sessions.length) throw new Error(`Only ${results.length} of ${sessions.length}`);
}
