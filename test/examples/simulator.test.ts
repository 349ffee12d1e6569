import { createIncodeClient } from 'temporal-incode/incode';
import { startIncodeSimulator } from 'temporal-incode/testing';
import { expect, it } from 'vitest';

it('a lost answer leaves the session finished', async () => {
  await using simulator = await startIncodeSimulator();
  const { interviewId, token } = await simulator.openSession({ action: 'rejected' });
  simulator.fault({ operation: 'finishStatus', interviewId, kind: 'reset', effect: true });

  const incode = createIncodeClient({ baseUrl: simulator.url, apiKey: simulator.apiKey });
  await expect(incode.finishStatus({ interviewId, sessionToken: token })).rejects.toThrow('closed the connection');
  await incode.close();

  expect(simulator.effects(interviewId).finished).toBe(1);
  expect(simulator.callsOf(interviewId)).toMatchObject([{ operation: 'finishStatus', fault: 'reset' }]);
});
