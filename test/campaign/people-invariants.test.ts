import { describe, expect, it } from 'vitest';
import type { CapturePlan, CaptureRow, ImageSide } from '../../src/contract/index.js';
import type { Call } from '../../src/testing/index.js';
import type { MadeImage } from './images.js';
import { stuck, unexpected } from './invariants.js';
import { unnamedSessions } from './orphans.js';
import { wrongPeople } from './people-invariants.js';
import {
  newPersonRecord,
  type OpenedSession,
  type PersonEvidence,
  type PersonRecord,
  type PersonRun,
} from './people-record.js';
import type { Interval } from './record.js';
import { uploadedTwice } from './uploads.js';

// Shows that each invariant about people can fail, which a successful campaign does not show.

const BEGIN = 1_000_000;
const [FIRST, SECOND] = ['p~000000000001', 'p~000000000002'];
const IMAGES = new Map<string, MadeImage>([
  ...(['front', 'back', 'selfie'] as const).map((side): [string, MadeImage] => [
    side,
    { reference: 'p', side, kind: 'original' },
  ]),
  ['foreign', { reference: 'q', side: 'front', kind: 'original' }],
  ['changed', { reference: 'p', side: 'front', kind: 'changed' }],
  ['truncated', { reference: 'p', side: 'front', kind: 'truncated' }],
]);

function call(operation: string, atMs: number, more: Partial<Call> = {}): Call {
  const at = BEGIN + atMs;
  const ids = { interviewId: 'i', externalCustomerId: FIRST };
  return { at, operation, ...ids, httpStatus: 200, effectAt: at, fault: null, ...more } as Call;
}

const CALLS = [
  call('addFrontId', 100),
  call('addBackId', 200),
  call('processId', 300),
  call('addFace', 400),
  call('finishStatus', 500),
];

const upload = (part: string, sha256: string = part === 'face' ? 'selfie' : part, retry = false) =>
  ({ part, sha256, retry }) as OpenedSession['captures']['uploads'][number];
const UPLOADS = [upload('front'), upload('back'), upload('face')];

function session({
  interviewId = 'i',
  externalCustomerId = FIRST,
  finished = 1,
  uploads = UPLOADS,
  calls = CALLS,
}: {
  interviewId?: string;
  externalCustomerId?: string;
  finished?: number;
  uploads?: OpenedSession['captures']['uploads'];
  calls?: Call[];
} = {}): OpenedSession {
  const view = { interviewId, externalCustomerId, effects: { finished, closed: 0, approved: 0 } };
  return { view, captures: { uploads }, calls } as OpenedSession;
}

/** A session that was opened, and that nothing was sent to. */
const unused = session({ interviewId: 'j', externalCustomerId: SECOND, finished: 0, uploads: [], calls: [] });

function run(more: Partial<PersonRun> = {}): PersonRun {
  return {
    ...{ workflowId: 'incode-capture/p', runId: 'r', status: 'completed', startedAt: BEGIN, closedAt: BEGIN + 1_000 },
    ...{ result: {}, failure: null, failedTasks: [], openActivities: [], outline: [] },
    asked: [FIRST],
    report: { interviewId: 'i', suspectedOrphans: [], idProcessed: true, outcome: 'approved' },
    uploadAttempts: { front: 1, back: 1, selfie: 1 },
    ...more,
  };
}

const orphan = (externalCustomerId: string, interviewId: string | null = null) => ({ externalCustomerId, interviewId });
const report = (more: object) => ({ ...(run().report as NonNullable<PersonRun['report']>), ...more });

function person({
  record = {},
  plan = {},
  ...more
}: { record?: Partial<PersonRecord>; plan?: CapturePlan } & Partial<
  Omit<PersonEvidence, 'record'>
> = {}): PersonEvidence {
  const sides: ImageSide[] = ['front', 'back', 'selfie'];
  const planned = { reference: 'p', sides, hasDigests: true, simulate: 'approved', answer: null, plan, faults: [] };
  return {
    record: { ...newPersonRecord(planned as PersonRecord['person'], 'single', {}), acknowledged: true, ...record },
    runs: [run()],
    rows: [],
    opened: [session()],
    starts: [call('start', 0)],
    images: IMAGES,
    ...more,
  };
}

type Person = Parameters<typeof person>[0];

const ROW: CaptureRow = { interviewId: 'i', outcome: 'approved' };
const rowOf = (row: CaptureRow | null) => [{ batchId: 'l', row }];

describe('wrongPeople', () => {
  const found = (...people: Person[]) => wrongPeople({ people: people.map(person) }).map(({ what }) => what);

  it.each<[string, Person]>([
    ['one session, with the images of its person', {}],
    ['a row that says the same', { rows: rowOf(ROW) }],
    [
      'a second session in a second run',
      {
        runs: [
          run({ status: 'terminated', report: null }),
          run({ asked: [SECOND], report: report({ interviewId: 'j' }) }),
        ],
        opened: [session(), session({ interviewId: 'j', externalCustomerId: SECOND })],
        record: { terminated: true },
      },
    ],
    [
      'a failure for an image that the campaign has lost',
      {
        runs: [
          run({
            status: 'failed',
            failure: { type: 'ImageUnusable', message: '' },
            report: report({ interviewId: null }),
          }),
        ],
        opened: [],
        record: { disturbed: [{ side: 'front', kind: 'loseImage' }] },
      },
    ],
  ])('accepts %s', (_, evidence) => {
    expect(found(evidence)).toEqual([]);
  });

  it.each<[string, Person, RegExp]>([
    ['a person who was lost', { runs: [], opened: [] }, /is lost/],
    ['a person without a row', { rows: rowOf(null) }, /has no row in l/],
    ['a row with another session', { rows: rowOf({ ...ROW, interviewId: 'j' }) }, /no run agrees/],
    ['a row with another outcome', { rows: rowOf({ ...ROW, outcome: 'rejected' }) }, /no run agrees/],
    [
      'a row without the orphan',
      { runs: [run({ report: report({ suspectedOrphans: [orphan(SECOND)] }) })], rows: rowOf(ROW) },
      /no run agrees/,
    ],
    ['a row for other images', { rows: rowOf({ failure: { type: 'PersonDiffers', message: '' } }) }, /differs in l/],
    ['a verdict of somebody else', { runs: [run({ report: report({ outcome: 'rejected' }) })] }, /is rejected, but/],
    ['a session of somebody else', { runs: [run({ report: report({ interviewId: 'k' }) })] }, /has not opened/],
    ['a result without a session', { runs: [run({ report: null })] }, /without a session/],
    [
      'a failure without facts',
      { runs: [run({ status: 'failed', report: null, failure: { type: 'Failed', message: '' } })] },
      /without a word about sessions/,
    ],
    [
      'a failure that Incode never answered',
      { runs: [run({ status: 'failed', failure: { type: 'IncodeBadRequest', message: '' } })] },
      /never answered/,
    ],
    [
      'an unusable image that nobody has changed',
      { runs: [run({ status: 'failed', failure: { type: 'ImageUnusable', message: '' } })] },
      /nobody has changed/,
    ],
    [
      'a refused image that Incode has not refused',
      { runs: [run({ status: 'failed', failure: { type: 'IncodeImageRefused', message: '' } })] },
      /has not refused/,
    ],
    ['a cancellation without request', { runs: [run({ status: 'cancelled', report: null })] }, /cancelled without/],
    [
      'two finished sessions in one run',
      {
        runs: [run({ asked: [FIRST, SECOND] })],
        opened: [session(), session({ interviewId: 'j', externalCustomerId: SECOND })],
      },
      /has used 2 sessions in 1 runs/,
    ],
    [
      'images in a session that is not used',
      {
        runs: [run({ status: 'terminated', report: null, asked: [] }), run({ asked: [FIRST, SECOND] })],
        opened: [{ ...unused, captures: session().captures }, session({ finished: 0, uploads: [] })],
        record: { terminated: true },
      },
      /has used the session j, which is not that of the result/,
    ],
    [
      'an image of another person',
      { opened: [session({ uploads: [upload('front', 'foreign')] })] },
      /has the front of q/,
    ],
    ['an image on the wrong side', { opened: [session({ uploads: [upload('back', 'front')] })] }, /as its back/],
    ['half an image', { opened: [session({ uploads: [upload('front', 'truncated')] })] }, /no whole image/],
    [
      'an image with another digest',
      { opened: [session({ uploads: [upload('front', 'changed')] })] },
      /another digest/,
    ],
    [
      'two different images of a side',
      { opened: [session({ uploads: [upload('front'), upload('front', 'changed')] })] },
      /2 different images of the front/,
    ],
    [
      'a session without the selfie',
      { opened: [session({ uploads: UPLOADS.slice(0, 2) })] },
      /finished without the selfie/,
    ],
    [
      'a session that was finished too early',
      { opened: [session({ calls: [call('finishStatus', 200), call('processId', 300)] })] },
      /before its document was processed/,
    ],
  ])('finds %s', (_, evidence, what) => {
    expect(found(evidence)).toEqual(expect.arrayContaining([expect.stringMatching(what)]));
  });

  it('finds a session that two people have', () => {
    const other = person();
    other.record.person = { ...other.record.person, reference: 'q' };
    const all = wrongPeople({ people: [person(), other] }).map(({ what }) => what);
    expect(all).toContain('has the session i of p');
  });
});

describe('unnamedSessions', () => {
  const found = (evidence: Person, stalls: { from: number; to: number }[] = []) =>
    unnamedSessions({ people: [person(evidence)], stalls }).map(({ what }) => what);
  const two = { runs: [run({ asked: [SECOND, FIRST] })], opened: [unused, session()] };
  const named = (...suspectedOrphans: object[]) => [
    run({ asked: [SECOND, FIRST], report: report({ suspectedOrphans }) }),
  ];
  const plan: CapturePlan = { findSessionWithin: '2s' };
  const lost = (atMs: number, more: Partial<Call> = {}) => call('start', atMs, { externalCustomerId: SECOND, ...more });

  it.each<[string, Person]>([
    ['one session', {}],
    ['an orphan that the result names', { ...two, runs: named(orphan(SECOND)) }],
    ['an orphan that the result names with its session', { ...two, runs: named(orphan(SECOND, 'j')) }],
    ['a suspected orphan that does not exist', { runs: named(orphan(SECOND)) }],
    ['a run without a result', { ...two, runs: [run({ asked: [FIRST, SECOND], status: 'terminated', report: null })] }],
    ['another request after the wait', { runs: named(orphan(SECOND)), plan, starts: [lost(0), call('start', 2_000)] }],
    [
      'another request after a refused takeover',
      { runs: named(orphan(SECOND)), plan, starts: [lost(0), lost(500, { httpStatus: 400 }), call('start', 600)] },
    ],
    [
      'the takeover of an earlier session whose webhook came late',
      { runs: named(orphan(SECOND)), plan, starts: [call('start', 0), lost(2_000), call('start', 2_500)] },
    ],
    [
      'another request of another run',
      { runs: [run({ asked: [SECOND] }), run()], opened: [session()], plan, starts: [lost(0), call('start', 100)] },
    ],
  ])('accepts %s', (_, evidence) => {
    expect(found(evidence)).toEqual([]);
  });

  it.each<[string, Person, RegExp]>([
    ['an orphan that is not named', two, /does not name the session j/],
    [
      'an orphan that the details of a failure do not name',
      { ...two, runs: [run({ asked: [SECOND, FIRST], status: 'failed' })] },
      /does not name the session j/,
    ],
    ['a session that nobody has asked for', { opened: [unused, session()] }, /no run has asked for/],
    [
      'an orphan that nobody has asked for',
      { runs: [run({ report: report({ suspectedOrphans: [orphan(SECOND)] }) })] },
      /nobody has asked for/,
    ],
    ['an orphan with the wrong session', { ...two, runs: named(orphan(SECOND, 'i')) }, /has not opened for it/],
    ['the used session as an orphan', { ...two, runs: named(orphan(SECOND), orphan(FIRST)) }, /names the used session/],
    [
      'another request before the wait is over',
      { runs: named(orphan(SECOND)), plan, starts: [lost(0), call('start', 1_700)] },
      /asked for another session 1700 ms after/,
    ],
  ])('finds %s', (_, evidence, what) => {
    expect(found(evidence)).toEqual([expect.stringMatching(what)]);
  });

  it('does not judge another request if the simulator stood still when it saw the earlier one', () => {
    const early: Person = { runs: named(orphan(SECOND)), plan, starts: [lost(0), call('start', 100)] };
    expect(found(early, [{ from: BEGIN - 60_000, to: BEGIN }])).toEqual([]);
    expect(found(early, [{ from: BEGIN - 60_000, to: BEGIN - 30_000 }])).toHaveLength(1);
  });
});

describe('uploadedTwice', () => {
  const twice = (first: Partial<Call> = {}, secondMs = 20_000): Person => ({
    opened: [
      session({
        calls: [call('addFrontId', 0, first), call('addFrontId', secondMs)],
        uploads: [upload('front'), upload('front', 'front', true)],
      }),
    ],
    runs: [run({ uploadAttempts: { front: 2, back: 1, selfie: 1 } })],
  });
  const found = (evidence: Person, { interruptions = [], stalls = [] }: Partial<Record<string, Interval[]>> = {}) =>
    uploadedTwice({ people: [person(evidence)], interruptions, stalls }).map(({ what }) => what);
  const at = (fromMs: number, toMs: number): Interval => ({ from: BEGIN + fromMs, to: BEGIN + toMs });

  it.each<[string, Person, Partial<Record<string, Interval[]>>?]>([
    ['one upload', {}],
    ['another one after a lost answer', twice({ httpStatus: null, fault: 'reset' })],
    ['another one after half an answer', twice({ fault: 'truncated' })],
    ['another one after a 503', twice({ httpStatus: 503, effectAt: null })],
    ['another one while a worker was killed', twice(), { interruptions: [at(100, 3_000)] }],
    ['another one while this machine stood still', twice(), { stalls: [at(-100, 1_000)] }],
    ['another one after a reset by an operator', { ...twice(), record: { operatedAt: [BEGIN + 50] } }],
    ['another image', { ...twice(), record: { replacements: [{ side: 'front', at: BEGIN + 10_000 }] } }],
  ])('accepts %s', (_, evidence, seen) => {
    expect(found(evidence, seen)).toEqual([]);
  });

  it.each<[string, Person, RegExp, Partial<Record<string, Interval[]>>?]>([
    ['another upload after a good answer', twice(), /again at .* after a good answer/],
    ['another upload after a late answer', twice({ fault: 'latency' }), /after a good answer/],
    [
      'another upload, and a worker that was killed long after the answer',
      twice(),
      /after a good answer/,
      { interruptions: [at(10_000, 11_000)] },
    ],
    [
      'another upload, and another image of another side',
      { ...twice(), record: { replacements: [{ side: 'back', at: BEGIN + 10_000 }] } },
      /after a good answer/,
    ],
    [
      'two uploads in one attempt',
      { ...twice({ httpStatus: null, fault: 'reset' }), runs: [run()] },
      /the front 2 times in 1 attempts/,
    ],
    [
      'a repeated upload without the parameter "retry"',
      {
        ...twice({ httpStatus: null, fault: 'reset' }),
        opened: [
          session({
            calls: [call('addFrontId', 0, { httpStatus: null, fault: 'reset' }), call('addFrontId', 900)],
            uploads: [upload('front'), upload('front')],
          }),
        ],
      },
      /without saying so/,
    ],
  ])('finds %s', (_, evidence, what, seen) => {
    expect(found(evidence, seen)).toEqual([expect.stringMatching(what)]);
  });
});

describe('stuck and unexpected', () => {
  it('stuck finds a person and a shard of people that have not ended', () => {
    const people = [person({ runs: [run({ status: 'running' })] })];
    const peopleShards = [run({ workflowId: 'incode-capture-batch/l/0', status: 'running' })];
    const found = stuck({ sessions: [], shards: [], claims: [], people, peopleShards });
    expect(found.map(({ who }) => who)).toEqual(['incode-capture/p', 'incode-capture-batch/l/0']);
  });

  it('unexpected finds undocumented errors about people', () => {
    const people = [person({ record: { problems: ['start: TypeError: x'] } })];
    expect(unexpected({ sessions: [], people, problems: [] })).toMatchObject([
      { who: 'p', what: 'start: TypeError: x' },
    ]);
  });
});
