import { describe, expect, it } from 'vitest';
import { type Coalesced, coalescing } from '../../src/webhook/coalescing.js';
import type { Notified } from '../../src/webhook/index.js';
import { deliver, STATUS, startReceiver } from './support.js';

const NOTIFY_TIMEOUT_MS = 8_000;

/** A receiver with its own clock. `notified` lists the calls of `notify` as "interviewId status". */
function memory(answer: () => Promise<Notified> = async () => 'delivered') {
  const clock = { ms: 0 };
  const notified: string[] = [];
  const notify = async (delivery: { interviewId: string; onboardingStatus: string }) => {
    notified.push(`${delivery.interviewId} ${delivery.onboardingStatus}`);
    return answer();
  };
  const coalesced = coalescing({ notify, notifyTimeoutMs: NOTIFY_TIMEOUT_MS }, () => clock.ms);
  const send = (onboardingStatus: string, interviewId = 'a'): Promise<Coalesced> =>
    coalesced({ interviewId, onboardingStatus });
  return { clock, notified, send };
}

describe('coalescing', () => {
  it('notifies once for repeated deliveries in flight and gives all of them the same answer', async () => {
    let settle: (result: Notified) => void = () => undefined;
    const { notified, send } = memory(() => new Promise((resolve) => (settle = resolve)));
    const answers = [send('EXPIRED'), send('EXPIRED'), send('EXPIRED')];
    settle('ended');
    expect(await Promise.all(answers)).toEqual(['ended', 'ended', 'ended']);
    expect(notified).toEqual(['a EXPIRED']);
  });

  it('notifies again a minute after the status was accepted', async () => {
    const { clock, notified, send } = memory();
    await send('EXPIRED');
    clock.ms = 59_999;
    expect(await send('EXPIRED')).toBe('delivered');
    expect(notified).toHaveLength(1);
    clock.ms = 60_000;
    await send('EXPIRED');
    expect(notified).toHaveLength(2);
  });

  it('notifies for every status and every session', async () => {
    const { notified, send } = memory();
    await Promise.all([send('EXPIRED'), send('UNKNOWN'), send('EXPIRED', 'b')]);
    expect(notified).toEqual(['a EXPIRED', 'a UNKNOWN', 'b EXPIRED']);
  });

  it.each(['unknownSession', 'ended'] as const)('notifies again at once after %s', async (result) => {
    const { notified, send } = memory(async () => result);
    await send('EXPIRED');
    await send('EXPIRED');
    expect(notified).toHaveLength(2);
  });

  it('notifies again at once if notify rejected', async () => {
    const { notified, send } = memory(() => Promise.reject(new Error('away')));
    await expect(send('EXPIRED')).rejects.toThrow('away');
    await expect(send('EXPIRED')).rejects.toThrow('away');
    expect(notified).toHaveLength(2);
  });

  it('notifies again if the earlier call hangs longer than the timeout', async () => {
    const { clock, notified, send } = memory(() => new Promise(() => undefined));
    void send('EXPIRED');
    clock.ms = NOTIFY_TIMEOUT_MS;
    void send('EXPIRED');
    expect(notified).toHaveLength(2);
  });
});

describe('a flood of statuses', () => {
  it('is limited to 20 per session within ten minutes, without an effect on other sessions', async () => {
    const { clock, notified, send } = memory();
    const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => send(`NOISE_${index}`)));
    expect(answers.filter((answer) => answer === 'tooMany')).toHaveLength(5);
    expect(notified).toHaveLength(20);
    expect(await send('NOISE_0')).toBe('delivered');
    expect(await send('EXPIRED', 'b')).toBe('delivered');
    clock.ms = 599_999;
    expect(await send('EXPIRED')).toBe('tooMany');
    clock.ms = 600_000;
    expect(await send('EXPIRED')).toBe('delivered');
  });

  it('answers one status too many with 429 and Retry-After', async () => {
    await using one = await startReceiver();
    for (let index = 0; index < 20; index++) {
      await deliver(one.url, { body: { ...STATUS, onboardingStatus: `NOISE_${index}` } });
    }
    const answer = await deliver(one.url);
    expect(answer).toMatchObject({ status: 429, body: { success: false } });
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(one.receiver.counts).toMatchObject({ delivered: 20, tooMany: 1 });
  });
});

it('coalescing remembers 10,000 sessions and forgets the oldest', async () => {
  const { notified, send } = memory();
  await send('EXPIRED');
  for (let index = 0; index < 10_000; index++) await send('EXPIRED', `other-${index}`);
  await send('EXPIRED', 'other-9999');
  expect(notified).toHaveLength(10_001);
  await send('EXPIRED');
  expect(notified).toHaveLength(10_002);
});
