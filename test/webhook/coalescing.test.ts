import { describe, expect, it } from 'vitest';
import { type Coalesced, coalescing } from '../../src/webhook/coalescing.js';
import type { Notified } from '../../src/webhook/index.js';
import { deliver, STATUS, startReceiver } from './support.js';

const NOTIFY_TIMEOUT_MS = 8_000;

/** With a clock of its own, and what it handed on, as "interviewId status". */
function memory(answer: () => Promise<Notified> = async () => 'delivered') {
  const clock = { ms: 0 };
  const handedOn: string[] = [];
  const notify = async (delivery: { interviewId: string; onboardingStatus: string }) => {
    handedOn.push(`${delivery.interviewId} ${delivery.onboardingStatus}`);
    return answer();
  };
  const coalesced = coalescing({ notify, notifyTimeoutMs: NOTIFY_TIMEOUT_MS }, () => clock.ms);
  const send = (onboardingStatus: string, interviewId = 'a'): Promise<Coalesced> =>
    coalesced({ interviewId, onboardingStatus });
  return { clock, handedOn, send };
}

describe('a status of a session', () => {
  it('is handed on once while it is in flight, and all its deliveries get that answer', async () => {
    let take: (taken: Notified) => void = () => undefined;
    const { handedOn, send } = memory(() => new Promise((resolve) => (take = resolve)));
    const answers = [send('EXPIRED'), send('EXPIRED'), send('EXPIRED')];
    take('ended');
    expect(await Promise.all(answers)).toEqual(['ended', 'ended', 'ended']);
    expect(handedOn).toEqual(['a EXPIRED']);
  });

  it('is handed on again a minute after it was taken, and not before', async () => {
    const { clock, handedOn, send } = memory();
    await send('EXPIRED');
    clock.ms = 59_999;
    expect(await send('EXPIRED')).toBe('delivered');
    expect(handedOn).toHaveLength(1);
    clock.ms = 60_000;
    await send('EXPIRED');
    expect(handedOn).toHaveLength(2);
  });

  it('is told apart from other statuses and other sessions', async () => {
    const { handedOn, send } = memory();
    await Promise.all([send('EXPIRED'), send('UNKNOWN'), send('EXPIRED', 'b')]);
    expect(handedOn).toEqual(['a EXPIRED', 'a UNKNOWN', 'b EXPIRED']);
  });

  it.each(['unknownSession', 'ended'] as const)(
    'is handed on again at once after "%s": a start may follow',
    async (taken) => {
      const { handedOn, send } = memory(async () => taken);
      await send('EXPIRED');
      await send('EXPIRED');
      expect(handedOn).toHaveLength(2);
    },
  );

  it('is handed on again if it could not be taken', async () => {
    const { handedOn, send } = memory(() => Promise.reject(new Error('away')));
    await expect(send('EXPIRED')).rejects.toThrow('away');
    await expect(send('EXPIRED')).rejects.toThrow('away');
    expect(handedOn).toHaveLength(2);
  });

  it('is handed on again if the call before hangs for longer than anybody waits for it', async () => {
    const { clock, handedOn, send } = memory(() => new Promise(() => undefined));
    void send('EXPIRED');
    clock.ms = NOTIFY_TIMEOUT_MS;
    void send('EXPIRED');
    expect(handedOn).toHaveLength(2);
  });
});

describe('a session that is flooded', () => {
  it('has 20 statuses handed on within ten minutes, and no other session suffers', async () => {
    const { clock, handedOn, send } = memory();
    const answers = await Promise.all(Array.from({ length: 25 }, (_, index) => send(`NOISE_${index}`)));
    expect(answers.filter((answer) => answer === 'tooMany')).toHaveLength(5);
    expect(handedOn).toHaveLength(20);
    expect(await send('NOISE_0')).toBe('delivered');
    expect(await send('EXPIRED', 'b')).toBe('delivered');
    clock.ms = 599_999;
    expect(await send('EXPIRED')).toBe('tooMany');
    clock.ms = 600_000;
    expect(await send('EXPIRED')).toBe('delivered');
  });

  it('is answered 429, with when to send it again', async () => {
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

it('forgets the oldest sessions, so that its memory is bounded', async () => {
  const { handedOn, send } = memory();
  await send('EXPIRED');
  for (let index = 0; index < 10_000; index++) await send('EXPIRED', `other-${index}`);
  await send('EXPIRED', 'other-9999');
  expect(handedOn).toHaveLength(10_001);
  await send('EXPIRED');
  expect(handedOn).toHaveLength(10_002);
});
