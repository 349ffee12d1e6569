import { describe, expect, it } from 'vitest';
import { type FinishContext, finishOnce } from '../../src/activities/finish-once.js';
import type { ActivityOptions, SessionInput } from '../../src/activities/index.js';
import type { ActivityEvent } from '../../src/activities/observe.js';
import type { EarlierRequests } from '../../src/activities/sent-requests.js';
import { TokenMismatchError } from '../../src/activities/token-fit.js';
import { FAILURES } from '../../src/contract/index.js';
import {
  type ExecutiveToken,
  type IncodeClient,
  IncodeError,
  type IncodeErrorKind,
  type IncodeOperation,
} from '../../src/incode/index.js';
import { namedSession, tokenNaming } from '../support/tokens.js';

const SETTLE_MS = 30_000;
const CONFIRM_MS = 900_000;
const POLL_MS = 10_000;
const NOW = 10_000_000;
const ANSWER = { action: 'approved', redirectionUrl: 'https://bank.example/' };

type Status = string | IncodeError;

interface Answers {
  /** Answers to the reads by id, in their order. The last one repeats. */
  status?: Status | Status[];
  /** Answers to the reads with the executive token. */
  statusByExecutive?: Status | Status[];
  /** The answer to the read without an id. */
  statusOfToken?: Status;
  finish?: IncodeError;
}

function errorOf(operation: IncodeOperation, kind: IncodeErrorKind, httpStatus?: number): IncodeError {
  return new IncodeError({ kind, operation, what: 'answered', httpStatus });
}

const finishError = (kind: IncodeErrorKind, httpStatus?: number) => errorOf('finishStatus', kind, httpStatus);
const statusError = (kind: IncodeErrorKind) => errorOf('onboardingStatus', kind);

/** Runs one attempt against these answers. Records the calls in order, and the reported events. */
async function attempt(
  answers: Answers,
  context: Partial<FinishContext> = {},
  session: SessionInput = namedSession(),
  options: Pick<ActivityOptions, 'executive' | 'refusesForeignIds'> = {},
) {
  const asked: string[] = [];
  const told: ActivityEvent[] = [];
  const { signal } = new AbortController();
  const inTurn = (statuses: Status[]) => () => (statuses.length > 1 ? statuses.shift() : statuses[0]);
  const byId = inTurn([answers.status ?? 'UNKNOWN'].flat());
  const byExecutive = inTurn([answers.statusByExecutive ?? 'UNKNOWN'].flat());
  const answer = <T>(operation: string, value: T | IncodeError): T => {
    asked.push(operation);
    if (value instanceof Error) throw value;
    return value;
  };
  const incode = {
    finishStatus: async (...call: unknown[]) => {
      expect(call).toEqual([session, { signal }]);
      return answer('finish', answers.finish ?? ANSWER);
    },
    onboardingStatus: async ({ interviewId, sessionToken }: { interviewId?: string; sessionToken: string }) => {
      const isExecutive = sessionToken === 'executive';
      expect([session.sessionToken, 'executive']).toContain(sessionToken);
      const [operation, status] = isExecutive
        ? ['status by executive', byExecutive()]
        : interviewId
          ? ['status', byId()]
          : ['status without id', answers.statusOfToken ?? statusError('tokenRefused')];
      return answer<unknown>(operation as string, status instanceof Error ? status : { onboardingStatus: status });
    },
  } as unknown as IncodeClient;
  const came = await finishOnce(
    {
      incode,
      settleTimeMs: SETTLE_MS,
      confirmFinishWithinMs: CONFIRM_MS,
      confirmFinishPollMs: POLL_MS,
      observe: (event) => told.push(event),
      ...options,
    },
    session,
    { earlier: {}, trust: false, now: () => NOW, ...context },
    signal,
  );
  return { came, asked, told };
}

const OPEN = ['UNKNOWN', 'ID_VALIDATION_FINISHED', 'POST_PROCESSING_FINISHED', 'GOVERNMENT_VALIDATION_FINISHED'];
const OVER = [
  ...['ONBOARDING_FINISHED', 'MANUAL_REVIEW_APPROVED', 'MANUAL_REVIEW_REJECTED'].map((onboardingStatus) => ({
    onboardingStatus,
    finish: { action: null, redirectionUrl: null, confirmedBy: 'status' },
  })),
  { onboardingStatus: 'EXPIRED', finish: null },
];
const FINISHED = {
  result: { finish: { ...ANSWER, confirmedBy: 'response' }, onboardingStatus: 'ONBOARDING_FINISHED' },
  isAnswered: true,
};
const UNCONFIRMED = { action: null, redirectionUrl: null, confirmedBy: 'unconfirmed' };

/** An earlier request, sent this long ago. */
const sent = (agoMs: number): EarlierRequests => ({ lastSentAt: NOW - agoMs });
const accepted = (agoMs: number): EarlierRequests => ({ ...sent(agoMs), accepted: true });

describe('finishOnce without an earlier request', () => {
  it.each([...OPEN, 'SOMETHING_NEW'])('sends the request after a status read that finds %s', async (status) => {
    const { came, asked, told } = await attempt({ status });
    expect(came).toEqual(FINISHED);
    expect(asked).toEqual(['status', 'finish']);
    expect(told).toEqual([{ type: 'verification', result: status === 'SOMETHING_NEW' ? 'unclear' : 'open' }]);
  });

  it('sends the request without a status read if the caller trusts that it is the first', async () => {
    const { came, asked, told } = await attempt({}, { trust: true });
    expect(came).toEqual(FINISHED);
    expect(asked).toEqual(['finish']);
    expect(told).toEqual([]);
  });

  it.each(OVER)('sends nothing if the session is $onboardingStatus', async (result) => {
    const { came, asked, told } = await attempt({ status: result.onboardingStatus });
    expect(came).toEqual({ result });
    expect(asked).toEqual(['status']);
    expect(told).toEqual([{ type: 'verification', result: result.finish ? 'finished' : 'expired' }]);
  });

  it.each<IncodeErrorKind>(['maybeRunning', 'notTaken', 'badRequest', 'tokenRefused'])(
    'sends nothing if the status read fails with %s, and records no request',
    async (kind) => {
      const error = statusError(kind);
      const { came, asked, told } = await attempt({ status: error });
      expect(came).toEqual({ error, sent: {} });
      expect(asked).not.toContain('finish');
      expect(told).toEqual([]);
    },
  );
});

describe('finishOnce after a request that may have taken effect', () => {
  it.each(OVER)('returns the result at once if the session is $onboardingStatus', async (result) => {
    for (const earlier of [sent(0), accepted(0), sent(CONFIRM_MS)]) {
      const { came, asked } = await attempt({ status: result.onboardingStatus }, { earlier });
      expect(came).toEqual({ result });
      expect(asked).toEqual(['status']);
    }
  });

  it.each(OPEN)('treats %s as unfinished only after the settle time', async (status) => {
    const earlier = sent(SETTLE_MS - 1);
    const { came, asked } = await attempt({ status }, { earlier });
    expect(came).toEqual({
      wait: { ms: 1, type: FAILURES.settling, what: 'an earlier request may still be running at Incode' },
      sent: earlier,
    });
    expect(asked).toEqual(['status']);
    const after = await attempt({ status }, { earlier: sent(SETTLE_MS) });
    expect(after.came).toEqual(FINISHED);
    expect(after.asked).toEqual(['status', 'finish']);
  });

  it('reads the status even if the caller trusts that nothing was sent', async () => {
    const { asked } = await attempt({}, { earlier: sent(SETTLE_MS), trust: true });
    expect(asked).toEqual(['status', 'finish']);
  });

  it('never treats an unknown status as unfinished', async () => {
    for (const earlier of [sent(0), sent(SETTLE_MS), sent(CONFIRM_MS - 60_000)]) {
      const { came, asked } = await attempt({ status: 'SOMETHING_NEW' }, { earlier });
      expect(came).toMatchObject({ wait: { ms: POLL_MS, type: FAILURES.unconfirmed }, sent: earlier });
      expect(asked).toEqual(['status']);
    }
  });

  it.each([...OPEN, 'SOMETHING_NEW'])(
    'sends nothing again after a 2xx answer while the session is %s',
    async (status) => {
      for (const agoMs of [0, SETTLE_MS, CONFIRM_MS - 60_000]) {
        const { came, asked } = await attempt({ status }, { earlier: accepted(agoMs) });
        expect(came).toMatchObject({ wait: { ms: POLL_MS, type: FAILURES.unconfirmed }, sent: accepted(agoMs) });
        expect(asked).toEqual(['status']);
      }
    },
  );

  it('returns unconfirmed after the time to confirm', async () => {
    for (const [status, earlier] of [
      ['SOMETHING_NEW', sent(CONFIRM_MS)],
      ['UNKNOWN', accepted(CONFIRM_MS)],
    ] as const) {
      const { came, asked, told } = await attempt({ status }, { earlier });
      expect(came).toEqual({ result: { finish: UNCONFIRMED, onboardingStatus: status } });
      expect(asked).toEqual(['status']);
      expect(told.at(-1)).toEqual({ type: 'unconfirmedFinish' });
    }
  });

  it('reads the status a last time at the end of the time to confirm', async () => {
    const { came } = await attempt({}, { earlier: accepted(CONFIRM_MS - 7) });
    expect(came).toMatchObject({ wait: { ms: 7 } });
  });

  it('names what it waits for, without repeating unknown text from the status', async () => {
    const known = await attempt({ status: 'POST_PROCESSING_FINISHED' }, { earlier: accepted(60_000) });
    expect(known.came).toHaveProperty(
      'wait.what',
      'Incode has accepted the request to finish, but the status is POST_PROCESSING_FINISHED. The status is read again for at most 14 min',
    );
    const strange = await attempt({ status: 'JANE DOE IS DONE' }, { earlier: sent(60_000) });
    expect(strange.came).toHaveProperty(
      'wait.what',
      'Incode may have finished the session, but the status is one that this package does not know. The status is read again for at most 14 min',
    );
  });

  it.each<IncodeErrorKind>(['badRequest', 'unknownSession', 'methodNotAllowed', 'notAcceptable'])(
    'repeats a status read that is refused with %s until the time to confirm is over',
    async (kind) => {
      const error = statusError(kind);
      const { came, asked } = await attempt({ status: error }, { earlier: sent(60_000) });
      expect(came).toMatchObject({ wait: { ms: POLL_MS, type: FAILURES.unconfirmed }, sent: sent(60_000) });
      expect(asked).not.toContain('finish');
      const last = await attempt({ status: error }, { earlier: sent(CONFIRM_MS) });
      expect(last.came).toEqual({ error, sent: sent(CONFIRM_MS) });
    },
  );

  it.each<IncodeErrorKind>(['tokenRefused', 'apiKeyRefused', 'misconfigured', 'notTaken', 'maybeRunning'])(
    'keeps the facts about earlier requests if the status read fails with %s',
    async (kind) => {
      const error = statusError(kind);
      const { came } = await attempt({ status: error }, { earlier: accepted(1) });
      expect(came).toEqual({ error, sent: accepted(1) });
    },
  );
});

describe('finishOnce after a failed request', () => {
  it.each<[IncodeErrorKind, number | undefined]>([
    ['maybeRunning', undefined],
    ['maybeRunning', 504],
    ['resultUnknown', 300],
    ['resultUnknown', 500],
  ])('records that the request may have taken effect after %s with status %s', async (kind, httpStatus) => {
    const error = finishError(kind, httpStatus);
    for (const earlier of [{}, sent(SETTLE_MS)]) {
      const { came, told } = await attempt({ finish: error }, { earlier });
      expect(came).toEqual({ error, sent: { lastSentAt: 'inThisAttempt' } });
      expect(told.slice(1)).toEqual([{ type: 'ambiguousFinish', kind }]);
    }
  });

  it.each([200, 202, 204])('records that Incode accepted the request after an unusable %i', async (httpStatus) => {
    const error = finishError('resultUnknown', httpStatus);
    const { came } = await attempt({ finish: error });
    expect(came).toEqual({ error, sent: { lastSentAt: 'inThisAttempt', accepted: true } });
  });

  it.each<IncodeErrorKind>(['tokenRefused', 'apiKeyRefused', 'misconfigured', 'notTaken'])(
    'records no request after %s',
    async (kind) => {
      const error = finishError(kind);
      for (const earlier of [{}, sent(SETTLE_MS)]) {
        const { came, asked, told } = await attempt({ finish: error }, { earlier });
        expect(came).toEqual({ error, sent: earlier });
        expect(asked).toEqual(['status', 'finish']);
        expect(told.slice(1)).toEqual([]);
      }
    },
  );

  it('records that the request may have taken effect after an unknown error', async () => {
    const error = new Error('aborted') as IncodeError;
    const { came } = await attempt({ finish: error });
    expect(came).toEqual({ error, sent: { lastSentAt: 'inThisAttempt' } });
  });
});

describe('finishOnce after a permanent refusal', () => {
  const REFUSALS = (['badRequest', 'unknownSession'] as const).map((kind) => finishError(kind));

  it.each(OVER)('returns the result if the session is $onboardingStatus', async (result) => {
    for (const finish of REFUSALS) {
      const { came, asked } = await attempt({ finish, status: ['UNKNOWN', result.onboardingStatus] });
      expect(came).toEqual({ result });
      expect(asked).toEqual(['status', 'finish', 'status']);
    }
  });

  it.each([...OPEN, 'SOMETHING_NEW'])('fails if the session is %s and nothing was sent before', async (status) => {
    for (const finish of REFUSALS) {
      const { came, asked } = await attempt({ finish, status });
      expect(came).toEqual({ error: finish, sent: {} });
      expect(asked).toEqual(['status', 'finish', 'status']);
    }
  });

  it('does not fail a session that an earlier request may have finished, until the time to confirm is over', async () => {
    const finish = finishError('badRequest');
    const { came } = await attempt({ finish }, { earlier: sent(60_000) });
    expect(came).toMatchObject({ wait: { ms: POLL_MS, type: FAILURES.unconfirmed }, sent: sent(60_000) });
    const last = await attempt({ finish }, { earlier: sent(CONFIRM_MS) });
    expect(last.came).toEqual({ error: finish, sent: sent(CONFIRM_MS) });
  });

  it('names the refusal that it waits out, without its last period', async () => {
    const refusal = new IncodeError({ kind: 'badRequest', operation: 'finishStatus', what: 'refused v1.0 of it.' });
    const { came } = await attempt({ finish: refusal }, { earlier: sent(60_000) });
    const what = `${refusal.message.replace(/\.+$/, '')}. The status is read again for at most 14 min`;
    expect(refusal.message).toMatch(/v1\.0 of it.*\.$/);
    expect(came).toHaveProperty('wait.what', what);
  });

  it('is retried if the status could not be read', async () => {
    const error = statusError('notTaken');
    const { came } = await attempt({ finish: finishError('badRequest'), status: ['UNKNOWN', error] });
    expect(came).toEqual({ error, sent: {} });
  });

  it('fails with the refusal of the request, not with that of the following status read', async () => {
    const finish = finishError('badRequest');
    const { came } = await attempt({ finish, status: ['UNKNOWN', statusError('unknownSession')] });
    expect(came).toEqual({ error: finish, sent: {} });
  });
});

describe('finishOnce with a token of another session', () => {
  it('refuses a token by its claim without a call', async () => {
    for (const context of [{}, { trust: true }, { earlier: sent(0) }]) {
      const { came, asked } = await attempt({}, context, { interviewId: 'i-1', sessionToken: tokenNaming('i-2') });
      expect(came).toHaveProperty('error', expect.any(TokenMismatchError));
      expect(came).toHaveProperty('error.message', expect.stringMatching(/^Session i-1: .* session i-2\./));
      expect(asked).toEqual([]);
    }
  });

  const REFUSED = (['tokenRefused', 'apiKeyRefused', 'unknownSession'] as const).map(statusError);

  it.each(REFUSED)('detects a token that Incode refuses with the id but accepts without: $kind', async (status) => {
    const { came, asked } = await attempt({ status, statusOfToken: 'UNKNOWN' });
    expect(came).toHaveProperty('error', expect.any(TokenMismatchError));
    expect(came).toHaveProperty('sent', {});
    expect(asked).toEqual(['status', 'status without id', 'status']);
  });

  it.each(REFUSED)('does not suspect a token that Incode also refuses without the id: $kind', async (status) => {
    for (const statusOfToken of [status, statusError('notTaken')]) {
      const { came, asked } = await attempt({ status, statusOfToken });
      expect(came).toEqual({ error: status, sent: {} });
      expect(asked).toEqual(['status', 'status without id']);
    }
  });

  it('does not suspect a token whose refusal does not repeat', async () => {
    const { came, asked } = await attempt({
      status: [statusError('unknownSession'), 'UNKNOWN'],
      statusOfToken: 'UNKNOWN',
    });
    expect(came).toEqual(FINISHED);
    expect(asked).toEqual(['status', 'status without id', 'status', 'finish']);
  });

  it('does not fail a session that may be finished, until the time to confirm is over', async () => {
    const answers = { status: statusError('unknownSession'), statusOfToken: 'UNKNOWN' };
    const { came } = await attempt(answers, { earlier: sent(60_000) });
    expect(came).toMatchObject({ wait: { type: FAILURES.unconfirmed } });
    const last = await attempt(answers, { earlier: sent(CONFIRM_MS) });
    expect(last.came).toHaveProperty('error', expect.any(TokenMismatchError));
  });
});

it('finishOnce reports an unsafe redirection URL', async () => {
  const incode = {
    onboardingStatus: async () => ({ onboardingStatus: 'UNKNOWN' }),
    finishStatus: async () => ({ action: 'none', redirectionUrl: null, redirectionUnsafe: 'scheme' }),
  } as unknown as IncodeClient;
  const options = { incode, settleTimeMs: 0, confirmFinishWithinMs: 0, confirmFinishPollMs: 0 };
  const { signal } = new AbortController();
  const came = await finishOnce(options, namedSession(), { earlier: {}, trust: false, now: () => NOW }, signal);
  expect(came).toHaveProperty('result.finish', {
    action: 'none',
    redirectionUrl: null,
    redirectionUnsafe: 'scheme',
    confirmedBy: 'response',
  });
});

const RESPONSE = { ...ANSWER, confirmedBy: 'response' };
const BY_STATUS = { action: null, redirectionUrl: null, confirmedBy: 'status' };
const EXECUTIVE: ExecutiveToken = { token: async () => 'executive' };

describe('finishOnce with a token that does not name the session', () => {
  const session = () => ({ ...namedSession(), sessionToken: 'opaque' });

  it('reports the answer and marks it as unproven', async () => {
    const { came } = await attempt({}, {}, session());
    expect(came).toMatchObject({ result: { finish: RESPONSE }, isUnproven: true });
  });

  it('treats the answer as proven if Incode issued the token for this session', async () => {
    const { came } = await attempt({}, {}, { ...session(), issuedByIncode: true });
    expect(came).toEqual(FINISHED);
  });

  it('treats the answer as proven by the status read if Incode refuses foreign ids, but not without a read', async () => {
    const options = { refusesForeignIds: true };
    expect((await attempt({}, {}, session(), options)).came).toEqual(FINISHED);
    expect((await attempt({}, { trust: true }, session(), options)).came).toHaveProperty('isUnproven', true);
  });

  it('does not report the answer if there is an executive token', async () => {
    const { came } = await attempt({}, {}, session(), { executive: EXECUTIVE });
    expect(came).toMatchObject({ result: { finish: BY_STATUS }, isAnswered: true, isUnproven: true });
    const proven = await attempt({}, {}, namedSession(), { executive: EXECUTIVE });
    expect(proven.came).toEqual(FINISHED);
  });
});

describe('finishOnce with an executive token', () => {
  const options = { executive: EXECUTIVE };

  it('reads the status with both tokens before the request', async () => {
    const { asked } = await attempt({}, {}, namedSession(), options);
    expect(asked).toEqual(['status by executive', 'status', 'finish']);
  });

  it.each(OVER)(
    'returns a confirmed result without using the session token if the session is $onboardingStatus by id',
    async (result) => {
      const answers = { statusByExecutive: result.onboardingStatus, status: 'UNKNOWN' };
      const { came, asked } = await attempt(answers, {}, namedSession(), options);
      expect(came).toEqual({ result, isConfirmed: true });
      expect(asked).toEqual(['status by executive']);
    },
  );

  it.each(OVER)('sends nothing if the session token reads a session that is $onboardingStatus', async (result) => {
    const { came, asked } = await attempt({ status: result.onboardingStatus }, {}, namedSession(), options);
    expect(came).toEqual({ result });
    expect(asked).toEqual(['status by executive', 'status']);
  });

  it('decides by the status by id whether an earlier request has settled', async () => {
    const answers = { statusByExecutive: 'SOMETHING_NEW', status: 'UNKNOWN' };
    const { came } = await attempt(answers, { earlier: sent(SETTLE_MS) }, namedSession(), options);
    expect(came).toMatchObject({ wait: { type: FAILURES.unconfirmed } });
  });

  it.each(OVER)('reads by id after a refusal that the session is $onboardingStatus', async (result) => {
    const answers = { finish: finishError('badRequest'), statusByExecutive: ['UNKNOWN', result.onboardingStatus] };
    const { came, asked } = await attempt(answers, {}, namedSession(), options);
    expect(came).toEqual({ result, isConfirmed: true });
    expect(asked).toEqual(['status by executive', 'status', 'finish', 'status by executive']);
  });

  it('does not remember a result that only the session token shows', async () => {
    const session = namedSession();
    await attempt({ status: 'ONBOARDING_FINISHED' }, {}, session, options);
    expect((await attempt({}, {}, session, options)).asked).toContain('finish');
    const known = namedSession();
    await attempt({ statusByExecutive: 'ONBOARDING_FINISHED' }, {}, known, options);
    expect((await attempt({}, {}, known, options)).asked).not.toContain('finish');
  });

  it('sends nothing while the executive token is refused', async () => {
    const { came, asked } = await attempt(
      { statusByExecutive: statusError('tokenRefused') },
      {},
      namedSession(),
      options,
    );
    expect(came).toHaveProperty('error.kind', 'misconfigured');
    expect(asked).not.toContain('finish');
  });
});

describe('finishOnce for two workflows that share a session', () => {
  type Context = Partial<FinishContext>;

  /** The second call starts while the first one is in flight, or after it. */
  const PAIRS = {
    'at the same time': async (first: Answers, second: Answers, contexts: [Context, Context]) => {
      const session = namedSession();
      const both = [attempt(first, contexts[0], session), attempt(second, contexts[1], session)];
      return (await Promise.all(both))[1] as Awaited<ReturnType<typeof attempt>>;
    },
    'one after the other': async (first: Answers, second: Answers, contexts: [Context, Context]) => {
      const session = namedSession();
      await attempt(first, contexts[0], session);
      return attempt(second, contexts[1], session);
    },
  };

  describe.each(Object.entries(PAIRS))('%s', (_, pair) => {
    const run = (first: Answers, second: Answers = {}, context: Context = {}) => pair(first, second, [{}, context]);

    it('sends no second request if the status read sees the result of the first', async () => {
      const { came, asked } = await run({}, { status: 'ONBOARDING_FINISHED' });
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ result: { finish: { confirmedBy: 'status' } } });
    });

    it('sends no second request after a 2xx answer, although the status lags', async () => {
      const { came, asked } = await run({}, { status: 'UNKNOWN' }, { trust: true });
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ wait: { type: FAILURES.unconfirmed }, sent: { accepted: true } });
      expect((came as { sent: EarlierRequests }).sent.lastSentAt).toBeGreaterThan(NOW - 60_000);
      expect((came as { sent: EarlierRequests }).sent.lastSentAt).toBeLessThanOrEqual(NOW);
    });

    it.each([
      ['maybeRunning', undefined, FAILURES.settling],
      ['resultUnknown', 200, FAILURES.unconfirmed],
    ] as const)('waits after a request of the other workflow that ended as %s', async (kind, httpStatus, type) => {
      const { came, asked } = await run({ finish: finishError(kind, httpStatus) });
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ wait: { type } });
    });

    it('sends a request after the other workflow’s request was not accepted', async () => {
      expect((await run({ finish: finishError('notTaken') })).asked).toEqual(['status', 'finish']);
    });

    it('waits for an earlier request that the other workflow waits for', async () => {
      const { came, asked } = await pair({}, {}, [{ earlier: sent(0) }, {}]);
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ wait: { type: FAILURES.settling } });
    });

    it('sends nothing after the other workflow found the session finished, even if its own status read does not', async () => {
      const { came, asked } = await run({ status: 'ONBOARDING_FINISHED' });
      expect(asked).toEqual(['status']);
      expect(came).toMatchObject({ wait: { type: FAILURES.unconfirmed }, sent: { accepted: true } });
    });

    it('sends a request after the other workflow found the session expired, if it is open in its own status read', async () => {
      expect((await run({ status: 'EXPIRED' })).asked).toEqual(['status', 'finish']);
    });

    it('sends a request after the other workflow found the session unfinished and could not send', async () => {
      expect((await run({ status: statusError('notTaken') })).asked).toEqual(['status', 'finish']);
    });
  });
});
