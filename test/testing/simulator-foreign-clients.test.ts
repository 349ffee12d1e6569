import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IncodeSimulator, startIncodeSimulator } from '../../src/testing/simulator/index.js';
import { type Receiver, startReceiver } from './webhook-receiver.js';

const run = promisify(execFile);
const works = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** The sample of Incode's page on finish-status, with another host. */
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
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  simulator = await startIncodeSimulator({ timeScale: 0.05, webhook: { url: receiver.url } });
});
afterAll(async () => {
  await simulator.close();
  await receiver[Symbol.asyncDispose]();
});

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

describe('the whole process from start to score and approval', () => {
  const STATUSES = [
    'ID_VALIDATION_FINISHED',
    'POST_PROCESSING_FINISHED',
    'FACE_VALIDATION_FINISHED',
    'GOVERNMENT_VALIDATION_FINISHED',
    'ONBOARDING_FINISHED',
  ];

  async function expectBatch(command: string, script: string) {
    const path = fileURLToPath(new URL(`foreign/${script}`, import.meta.url));
    const { stdout, stderr } = await run(command, [path, simulator.url, simulator.apiKey]);
    const { interviewId, ...result } = JSON.parse(stdout);
    expect(result).toEqual({ action: 'approved', score: 'OK', name: 'SPECIMEN SAMPLE', approved: true });
    expect(stderr).toBe('');
    expect(simulator.effects(interviewId)).toEqual({ finished: 1, closed: 1, approved: 1 });
    expect(simulator.session(interviewId)).toMatchObject({
      onboardingStatus: 'ONBOARDING_FINISHED',
      sessionStatus: 'Closed',
    });
    // Every call was accepted, and each milestone was reported once.
    const calls = simulator.callsOf(interviewId);
    expect(calls.filter(({ httpStatus }) => httpStatus !== 200)).toEqual([]);
    expect(calls.some(({ operation }) => operation === 'isFinished')).toBe(true);
    await simulator.advanceTime(0);
    const delivered = simulator.deliveries.filter((one) => one.interviewId === interviewId);
    expect(delivered.map(({ onboardingStatus }) => onboardingStatus).sort()).toEqual([...STATUSES].sort());
  }

  it('works with fetch in Node, in the style of axios', () => expectBatch(process.execPath, 'batch.mjs'));

  it.skipIf(!works('curl', '--version'))('works with curl in a shell (skipped without curl)', () =>
    expectBatch('sh', 'batch.sh'),
  );

  it.skipIf(!works('python3', '--version'))('works with urllib in Python (skipped without python3)', () =>
    expectBatch('python3', 'batch.py'),
  );
});
