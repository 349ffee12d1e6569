import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  type IncodeSimulator,
  type SimulatorBehavior,
  startIncodeSimulator,
} from '../../src/testing/simulator/index.js';
import { png } from '../support/images.js';
import { call, type Sent } from './simulator-client.js';

const FINISH = '/omni/finish-status';
const STATUS = '/omni/get/onboarding/status';

interface Started {
  simulator: IncodeSimulator;
  interviewId: string;
  token: string;
}

/** Opens a session with `POST /omni/start`, like clients of Incode. */
async function started(behavior: Partial<SimulatorBehavior>): Promise<Started & AsyncDisposable> {
  const simulator = await startIncodeSimulator({ behavior });
  const { interviewId, token } = (await start(simulator)).body;
  return { simulator, interviewId, token, [Symbol.asyncDispose]: simulator.close };
}

function start(simulator: IncodeSimulator, fields: Record<string, unknown> = {}) {
  return call(simulator, '/omni/start', { body: { configurationId: 'any', countryCode: 'ALL', ...fields } });
}

async function answersTo({ simulator, token }: Started, path: string, sent: Sent = {}) {
  const { status, body } = await call(simulator, path, { token, ...sent });
  return { status, body };
}

describe('foreignId', () => {
  it.each([
    ['refused', 401, undefined],
    ['ignored', 200, 'UNKNOWN'],
    ['answered', 200, 'FACE_VALIDATION_FINISHED'],
  ] as const)(
    'foreignId "%s" answers a read by the id of another session with %s',
    async (foreignId, status, onboardingStatus) => {
      await using own = await started({ foreignId });
      const other = await own.simulator.openSession({ onboardingStatus: 'FACE_VALIDATION_FINISHED' });
      const answer = await answersTo(own, `${STATUS}?id=${other.interviewId}`);
      expect(answer.status).toBe(status);
      expect(answer.body.onboardingStatus).toBe(onboardingStatus);
    },
  );

  it('foreignId "answered" answers an unknown id with 404', async () => {
    await using own = await started({ foreignId: 'answered' });
    expect(await answersTo(own, `${STATUS}?id=nobody`)).toMatchObject({ status: 404 });
  });
});

it.each([
  ['answered', 200],
  ['refused', 400],
] as const)('missingId "%s" answers a read without an id with %i', async (missingId, status) => {
  await using own = await started({ missingId });
  expect(await answersTo(own, STATUS)).toMatchObject({ status });
});

it.each([
  ['repeated', 200, 'approved', 2],
  ['idempotent', 200, 'approved', 1],
  ['refused', 400, undefined, 1],
  ['otherAction', 200, 'rejected', 2],
] as const)('secondFinish "%s" answers the second finish with %s', async (secondFinish, status, action, finished) => {
  await using own = await started({ secondFinish });
  expect(await answersTo(own, FINISH)).toMatchObject({ status: 200, body: { action: 'approved' } });
  const second = await answersTo(own, FINISH);
  expect(second.status).toBe(status);
  expect(second.body.action).toBe(action);
  expect(own.simulator.effects(own.interviewId).finished).toBe(finished);
});

describe.each(['closedFinish', 'expiredFinish', 'emptyFinish'] as const)('%s', (part) => {
  it.each([
    ['accepted', 200, 1],
    ['refused', 400, 0],
  ] as const)(`${part} "%s" answers the finish with %i`, async (choice, status, finished) => {
    await using own = await started({ [part]: choice });
    if (part === 'closedFinish') await answersTo(own, '/omni/session/status/set?action=Closed', { body: {} });
    if (part === 'expiredFinish') own.simulator.setOnboardingStatus(own.interviewId, 'EXPIRED');
    expect(await answersTo(own, FINISH)).toMatchObject({ status });
    expect(own.simulator.effects(own.interviewId).finished).toBe(finished);
  });
});

it.each([
  ['documented', 'ONBOARDING_FINISHED'],
  ['lowerCase', 'onboarding_finished'],
  ['trailingSpace', 'ONBOARDING_FINISHED '],
  ['misspelled', 'ONBOADING_FINISHED'],
  ['newValue', 'ONBOARDING_CONCLUDED'],
] as const)('statusSpelling "%s" uses "%s" in answers and webhooks', async (statusSpelling, onboardingStatus) => {
  await using own = await started({ statusSpelling });
  own.simulator.setWebhook({ url: `${own.simulator.url}/nowhere` });
  await answersTo(own, FINISH);
  expect((await answersTo(own, STATUS)).body).toEqual({ onboardingStatus });
  await own.simulator.advanceTime(0);
  expect(own.simulator.deliveries).toMatchObject([{ onboardingStatus }]);
});

it('statusLagMs delays the status of a finish in reads', async () => {
  await using own = await started({ statusLagMs: 5_000 });
  await answersTo(own, FINISH);
  await own.simulator.advanceTime(3_000);
  expect((await answersTo(own, STATUS)).body.onboardingStatus).toBe('UNKNOWN');
  await own.simulator.advanceTime(2_000);
  expect((await answersTo(own, STATUS)).body.onboardingStatus).toBe('ONBOARDING_FINISHED');
});

it('scoreLagMs keeps the score UNKNOWN for that time after the finish', async () => {
  await using own = await started({ scoreLagMs: 5_000 });
  await answersTo(own, FINISH);
  expect((await answersTo(own, '/omni/get/score')).body.overall.status).toBe('UNKNOWN');
  await own.simulator.advanceTime(5_000);
  expect((await answersTo(own, '/omni/get/score')).body.overall.status).toBe('OK');
});

it('redirectionUrl is in the answer of finish-status', async () => {
  await using own = await started({ redirectionUrl: 'javascript:alert(1)' });
  expect((await answersTo(own, FINISH)).body.redirectionUrl).toBe('javascript:alert(1)');
});

it.each([
  ['reissued', 200, true, true],
  ['newSession', 200, false, false],
  ['refused', 400, false, undefined],
] as const)(
  'knownIdStart "%s" answers a start with the id of a session with %i',
  async (knownIdStart, status, same, existing) => {
    await using own = await started({ knownIdStart });
    const answer = await start(own.simulator, { interviewId: own.interviewId });
    expect(answer.status).toBe(status);
    expect(answer.body.interviewId === own.interviewId).toBe(same);
    expect(answer.body.existingSession).toBe(existing);
  },
);

it.each([
  ['refused', 404],
  ['newSession', 200],
] as const)('unknownIdStart "%s" answers a start with an unknown id with %i', async (unknownIdStart, status) => {
  await using own = await started({ unknownIdStart });
  expect(await start(own.simulator, { interviewId: 'nobody' })).toMatchObject({ status });
});

it.each([
  ['valid', 200],
  ['revoked', 401],
] as const)(
  'earlierTokens "%s" answers the first token with %i after another was issued',
  async (earlierTokens, status) => {
    await using own = await started({ earlierTokens });
    const { token } = (await start(own.simulator, { interviewId: own.interviewId })).body;
    expect(await answersTo(own, STATUS)).toMatchObject({ status });
    expect(await answersTo({ ...own, token }, STATUS)).toMatchObject({ status: 200 });
  },
);

describe('tokenForm', () => {
  it('tokenForm "namesInterview" issues a JWT with the claim interviewId', async () => {
    await using own = await started({});
    expect(decodeJwt(own.token).interviewId).toBe(own.interviewId);
  });

  it('tokenForm "anonymous" issues a JWT without the claim interviewId', async () => {
    await using own = await started({ tokenForm: 'anonymous' });
    expect(decodeJwt(own.token)).toMatchObject({ exp: expect.any(Number) });
    expect(decodeJwt(own.token)).not.toHaveProperty('interviewId');
  });

  it('tokenForm "opaque" issues a token that is not a JWT', async () => {
    await using own = await started({ tokenForm: 'opaque' });
    expect(() => decodeJwt(own.token)).toThrow();
    expect(await answersTo(own, STATUS)).toMatchObject({ status: 200 });
  });
});

const UPLOAD = { body: { base64Image: 'QUJD' } };
const FRONT = '/omni/add/front-id/v2';
const BACK = '/omni/add/back-id/v2';
const FACE = '/omni/add/face/third-party';
const PROCESS_ID = '/omni/process/id';
const EMPTY = { body: {} };

it.each([
  ['refused', 400, /Id already processed/],
  ['parseError', 400, /NumberFormatException: Cannot parse null string/],
  ['accepted', 200, undefined],
] as const)('secondProcessId "%s" answers process/id again with %i', async (secondProcessId, status, message) => {
  await using own = await started({ secondProcessId });
  await answersTo(own, FRONT, UPLOAD);
  expect(await answersTo(own, PROCESS_ID, EMPTY)).toMatchObject({ status: 200 });
  const second = await answersTo(own, PROCESS_ID, EMPTY);
  expect(second.status).toBe(status);
  if (message) expect(second.body.message).toMatch(message);
});

it.each([400, 409, 500] as const)('secondProcessIdStatus: a second process/id is refused with %i', async (status) => {
  await using own = await started({ secondProcessIdStatus: status });
  await answersTo(own, FRONT, UPLOAD);
  await answersTo(own, PROCESS_ID, EMPTY);
  expect(await answersTo(own, PROCESS_ID, EMPTY)).toMatchObject({ status });
});

it.each([
  ['frontAndBack', 400],
  ['any', 200],
] as const)('newUploads "%s" answers process/id after a new front with %i', async (newUploads, status) => {
  await using own = await started({ newUploads });
  await answersTo(own, FRONT, UPLOAD);
  await answersTo(own, PROCESS_ID, EMPTY);
  await answersTo(own, FRONT, UPLOAD);
  expect(await answersTo(own, PROCESS_ID, EMPTY)).toMatchObject({ status });
});

describe('uploads', () => {
  const small = { body: { base64Image: png({ width: 640, height: 480 }).toString('base64') } };
  const dataUrl = {
    body: { base64Image: `data:image/png;base64,${png({ width: 1_280, height: 800 }).toString('base64')}` },
  };
  const bytes = { method: 'POST', headers: { 'content-type': 'image/jpeg' }, body: 'a picture' };

  it.each<[Partial<SimulatorBehavior>, string, Sent, number, object]>([
    [{ smallImage: 'error' }, FRONT, small, 400, { status: 3008 }],
    [{ smallImage: 'failReason' }, FRONT, small, 200, { failReason: 'DOCUMENT_NOT_READABLE' }],
    [{ smallImage: 'failReason' }, FACE, small, 400, { status: 4019 }],
    [{ smallImage: 'accepted' }, FRONT, small, 200, { failReason: null }],
    [{ imageErrorStatus: 422 }, FRONT, small, 422, { status: 3008 }],
    [{ imageErrorStatus: 500 }, FRONT, small, 500, { status: 3008 }],
    [{ unknownFormat: 'accepted' }, FRONT, UPLOAD, 200, { failReason: null }],
    [{ unknownFormat: 'refused' }, FRONT, UPLOAD, 200, { failReason: 'UNKNOWN_DOCUMENT_TYPE' }],
    [{ dataUrl: 'refused' }, FRONT, dataUrl, 200, { failReason: 'UNKNOWN_DOCUMENT_TYPE' }],
    [{ dataUrl: 'accepted' }, FRONT, dataUrl, 200, { failReason: null }],
    [{ binaryUpload: 'accepted' }, '/omni/add/front-id', bytes, 200, { failReason: null }],
    [{ binaryUpload: 'refused' }, '/omni/add/front-id', bytes, 400, {}],
    [{ selfieWithoutType: 'accepted' }, FACE, UPLOAD, 200, { confidence: 0 }],
    [{ selfieWithoutType: 'refused' }, FACE, UPLOAD, 400, {}],
    [{ backBeforeFront: 'refused' }, BACK, UPLOAD, 400, {}],
    [{ backBeforeFront: 'accepted' }, BACK, UPLOAD, 200, { failReason: null }],
    [{ maxRequestBytes: 20 }, FRONT, { body: { base64Image: 'A'.repeat(20) } }, 413, {}],
  ])('an upload with the behavior %j to %s is answered as set', async (behavior, path, sent, status, body) => {
    await using own = await started({});
    own.simulator.setBehavior(behavior);
    expect(await answersTo(own, path, sent)).toMatchObject({ status, body });
  });

  it('maxUploads refuses further uploads of the same side', async () => {
    await using own = await started({ maxUploads: 1 });
    const statuses = [FRONT, FRONT, BACK].map((path) => async () => (await answersTo(own, path, UPLOAD)).status);
    const seen = [];
    for (const status of statuses) seen.push(await status());
    expect(seen).toEqual([200, 400, 200]);
  });

  it.each([
    ['accepted', 200],
    ['refused', 400],
  ] as const)(
    'uploadAfterFinish "%s" answers an upload after finish-status with %i',
    async (uploadAfterFinish, status) => {
      await using own = await started({ uploadAfterFinish });
      await answersTo(own, FINISH);
      expect(await answersTo(own, FRONT, UPLOAD)).toMatchObject({ status });
    },
  );
});

it.each([
  ['optional', 200],
  ['required', 400],
] as const)('consents "%s" answers process/id without consents with %i', async (consents, status) => {
  await using own = await started({ consents });
  expect(await answersTo(own, FRONT, UPLOAD)).toMatchObject({
    body: { showMandatoryConsent: consents === 'required' },
  });
  expect(await answersTo(own, PROCESS_ID, EMPTY)).toMatchObject({ status });
  for (const kind of ['user', 'ml']) await answersTo(own, `/omni/add/${kind}-consent`, { body: { status: true } });
  // By default it was processed before.
  expect(await answersTo(own, PROCESS_ID, EMPTY)).toMatchObject({ status: consents === 'required' ? 200 : 400 });
});

it.each([
  ['accepted', 200],
  ['refused', 400],
] as const)('secondWatchlist "%s" answers a second check with %i', async (secondWatchlist, status) => {
  await using own = await started({ secondWatchlist });
  await answersTo(own, FRONT, UPLOAD);
  expect(await answersTo(own, '/omni/process/global-watchlist', EMPTY)).toMatchObject({ status: 200 });
  expect(await answersTo(own, '/omni/process/global-watchlist', EMPTY)).toMatchObject({ status });
});

it.each([
  ['sections', { status: 'UNKNOWN' }],
  ['overall', { status: 'OK', value: '94.6' }],
] as const)('earlyScore "%s" answers the overall score %j before finish-status', async (earlyScore, overall) => {
  await using own = await started({ earlyScore });
  expect(await answersTo(own, '/omni/get/score')).toMatchObject({ body: { overall } });
});

it('customFieldKeys: refuses a start with another key', async () => {
  await using own = await started({ customFieldKeys: ['branch'] });
  const status = async (customFields: object) => (await start(own.simulator, { customFields })).status;
  expect([await status({ branch: '1' }), await status({ simulate: 'review' }), await status({ desk: '2' })]).toEqual([
    200, 200, 400,
  ]);
});

describe('calls of an executive', () => {
  const executive = async (own: Started): Promise<Started> => {
    const body = { email: 'clerk@example.com', password: 'a password' };
    return { ...own, token: (await answersTo(own, '/executive/log-in', { body })).body.token };
  };
  const SEARCH = '/omni/validation-results/search/v2';

  it.each([
    ['applied', 200, 0],
    ['ignored', 200, 1],
    ['refused', 400, undefined],
  ] as const)(
    'searchFilter "%s" answers a search for nobody with %i and %s sessions',
    async (searchFilter, status, found) => {
      await using own = await started({ searchFilter });
      const clerk = await executive(own);
      const answer = await answersTo(clerk, SEARCH, { body: { externalCustomerId: 'nobody' } });
      expect([answer.status, answer.body.interviews?.length]).toEqual([status, found]);
      expect((await answersTo(clerk, SEARCH, EMPTY)).body.interviews).toHaveLength(1);
    },
  );

  it.each([
    ['unknown', 404],
    ['accepted', 200],
  ] as const)('secondDelete "%s" answers the second deletion with %i', async (secondDelete, status) => {
    await using own = await started({ secondDelete });
    const clerk = await executive(own);
    const path = `/omni/interview?interviewId=${own.interviewId}`;
    const body = { filter: { ids: [own.interviewId] } };
    expect(await answersTo(clerk, path, { method: 'DELETE' })).toMatchObject({ status: 200 });
    expect(await answersTo(clerk, path, { method: 'DELETE' })).toMatchObject({ status });
    expect(await answersTo(clerk, '/omni/interviews', { method: 'DELETE', body })).toMatchObject({ status });
  });
});

describe('requiredHeaders', () => {
  const missing = { 'x-api-key': 403, 'api-version': 400, 'content-type': 400 } as const;

  it.each(Object.entries(missing))('refuses a call without %s with %i if it lists the header', async (name, status) => {
    await using own = await started({});
    own.simulator.setBehavior({ requiredHeaders: ['x-api-key', 'api-version', 'content-type'] });
    expect(await answersTo(own, STATUS, { headers: { [name]: null } })).toMatchObject({ status });
  });

  it.each(Object.keys(missing))('accepts a call without %s if it does not list the header', async (name) => {
    await using own = await started({ requiredHeaders: [] });
    expect(await answersTo(own, STATUS, { headers: { [name]: null } })).toMatchObject({ status: 200 });
  });

  it('requires Content-Type only with a body by default', async () => {
    await using own = await started({});
    const headers = { 'content-type': null };
    expect(await answersTo(own, STATUS, { headers })).toMatchObject({ status: 200 });
    expect(await answersTo(own, '/omni/session/status/set?action=Closed', { method: 'POST', headers })).toMatchObject({
      status: 200,
    });
    const text = { headers: { 'content-type': 'text/plain' }, ...UPLOAD };
    expect(await answersTo(own, FRONT, text)).toMatchObject({ status: 400 });
  });

  it('refuses a wrong API key even if it does not list x-api-key', async () => {
    await using own = await started({ requiredHeaders: [] });
    expect(await answersTo(own, STATUS, { apiKey: 'wrong' })).toMatchObject({ status: 403 });
  });
});

it('apiKeyRefusal and tokenRefusal set the status for a wrong key and a wrong token', async () => {
  await using own = await started({ apiKeyRefusal: 401, tokenRefusal: 403 });
  expect(await answersTo(own, STATUS, { apiKey: 'wrong' })).toMatchObject({ status: 401 });
  expect(await answersTo(own, STATUS, { token: 'wrong' })).toMatchObject({ status: 403 });
});

it.each([
  ['html', expect.stringContaining('<html>')],
  ['empty', ''],
] as const)('errorBody "%s" is the body of a refusal', async (errorBody, body) => {
  await using own = await started({ errorBody });
  expect(await answersTo(own, STATUS, { token: 'wrong' })).toEqual({ status: 401, body });
});

it.each([true, false])('dateHeader %s decides about the header Date', async (dateHeader) => {
  await using own = await started({ dateHeader });
  const { headers } = await call(own.simulator, STATUS, { token: own.token });
  expect(headers.has('date')).toBe(dateHeader);
});

describe('the behavior', () => {
  it('can be read and changed through the object and the control API', async () => {
    await using own = await started({ missingId: 'refused' });
    own.simulator.setBehavior({ foreignId: 'ignored' });
    const url = `${own.simulator.url}/_simulator/behavior`;
    const changed = await fetch(url, { method: 'POST', body: JSON.stringify({ tokenForm: 'opaque' }) });
    expect(await changed.json()).toEqual(own.simulator.behavior);
    expect(await (await fetch(url)).json()).toEqual(own.simulator.behavior);
    expect(own.simulator.behavior).toMatchObject({
      missingId: 'refused',
      foreignId: 'ignored',
      tokenForm: 'opaque',
      secondFinish: 'repeated',
    });
  });

  it.each<[string, object]>([
    ['behavior.foreignId', { foreignId: 'anything' }],
    ['behavior.foreignid', { foreignid: 'ignored' }],
    ['behavior.statusLagMs', { statusLagMs: -1 }],
    ['behavior.requiredHeaders', { requiredHeaders: ['accept'] }],
    ['behavior.apiKeyRefusal', { apiKeyRefusal: 404 }],
  ])('refuses %s: %j', async (name, behavior) => {
    await expect(startIncodeSimulator({ behavior })).rejects.toThrow(name);
  });
});
