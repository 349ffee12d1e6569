import { once } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { start } from '../support/cli.js';
import { API_KEY, startTestWorld } from '../support/world.js';

afterEach(() => {
  vi.restoreAllMocks();
});

it('a worker whose clock is ahead by more than the settle time finishes a session once', async () => {
  // The simulator runs in a separate process, so that only the worker's clock is wrong.
  const { child } = start(['simulator', '--port', '0', '--api-key', API_KEY, '--json']);
  try {
    const [line] = await once(child.stdout, 'data');
    const { url } = JSON.parse(String(line)) as { url: string };
    // biome-ignore lint/suspicious/noExplicitAny: any answer of the control API
    const simulator = async (path: string, body?: object): Promise<any> => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      return (await fetch(`${url}/_simulator/${path}`, init)).json();
    };
    await using world = await startTestWorld({ incode: { baseUrl: url }, activities: { settleTimeMs: 4_000 } });
    const { interviewId, token } = await simulator('sessions', {});
    const calls = async (operation: string): Promise<unknown[]> =>
      (await simulator(`calls?interviewId=${interviewId}&operation=${operation}`)).calls;
    // The finish takes effect 3 s after the answer is lost: after the first retry, but before the settle time is over.
    const lost = { kind: 'reset', effect: true, effectAfterMs: 3_000 };
    await simulator('faults', { operation: 'finishStatus', interviewId, ...lost });
    const input = { interviewId, sessionToken: token, plan: { score: false }, verifyFirst: 'trust' as const };
    await world.onboarding.start(input);
    await expect.poll(async () => (await calls('finishStatus')).length).toBe(1);

    const now = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 60_000);
    const { finish } = await world.onboarding.result(interviewId);
    expect(finish?.confirmedBy).toBe('status');
    expect((await simulator(`sessions/${interviewId}`)).effects.finished).toBe(1);
  } finally {
    child.kill();
  }
});
