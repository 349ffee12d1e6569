import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';

// The samples of Incode's page on finish-status, as they stand there, with another host.

const run = promisify(execFile);
const works = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

const PYTHON = `
import requests, sys
url, key, token = sys.argv[1:]
payload = {}
headers = {
  'Content-Type': 'application/json',
  'api-version': '1.0',
  'x-api-key': key,
  'X-Incode-Hardware-Id': token
}
response = requests.request("GET", url, headers=headers, data=payload)
print(response.text)
`;

let simulator: IncodeSimulator;

beforeAll(async () => {
  simulator = await startIncodeSimulator();
});
afterAll(() => simulator.close());

async function expectFinished(client: (url: string, key: string, token: string) => Promise<{ stdout: string }>) {
  const { interviewId, token } = await simulator.openSession();
  const { stdout } = await client(`${simulator.url}/omni/finish-status`, simulator.apiKey, token);
  expect(JSON.parse(stdout)).toMatchObject({ action: 'approved', redirectionUrl: '' });
  expect(simulator.effects(interviewId).finished).toBe(1);
}

it.skipIf(!works('curl', '--version'))('curl finishes a session (skipped without curl)', () =>
  expectFinished((url, key, token) =>
    run('curl', [
      ...['--silent', '--location', url],
      ...['--header', 'Content-Type: application/json'],
      ...['--header', 'api-version: 1.0'],
      ...['--header', `x-api-key: ${key}`],
      ...['--header', `X-Incode-Hardware-Id: ${token}`],
    ]),
  ),
);

it.skipIf(!works('python3', '-c', 'import requests'))('Python finishes a session (skipped without requests)', () =>
  expectFinished((url, key, token) => run('python3', ['-c', PYTHON, url, key, token])),
);
