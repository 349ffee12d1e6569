// Twenty kills of worker, server and client in a batch of 5,000 sessions. `npm run proof -- SEED` plays another run.
import { spawnSync } from 'node:child_process';

const [seed = '1'] = process.argv.slice(2);
const env = { ...process.env, PROOF_SESSIONS: '5000', PROOF_KILLS: '20', PROOF_SEED: seed };
const args = ['vitest', 'run', 'test/faults/batch-crashes.test.ts'];
process.exitCode = spawnSync('npx', args, { env, stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1;
