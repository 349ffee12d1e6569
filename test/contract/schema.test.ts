import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSessionStarted } from '../../src/contract/capture-guards.js';
import { parseStatusChanged } from '../../src/contract/guards.js';
import {
  BATCH_QUERIES,
  BATCH_WORKFLOW,
  CAPTURE_BATCH_WORKFLOW,
  CAPTURE_PLAN_DEFAULTS,
  CAPTURE_SIGNALS,
  CAPTURE_UPDATES,
  CAPTURE_WORKFLOW,
  checkBatchInput,
  checkCaptureBatchInput,
  checkCaptureInput,
  checkExtendDeadlineInput,
  checkOnboardingInput,
  checkRenewTokenInput,
  checkReplaceImageInput,
  FAILURES,
  MAX_SHARD_PEOPLE,
  MAX_SHARD_SESSIONS,
  ONBOARDING_WORKFLOW,
  PLAN_DEFAULTS,
  parseDuration,
  SIGNALS,
  UPDATES,
} from '../../src/contract/index.js';
import { startShard } from '../support/batch.js';
import { begin, stateOf } from '../support/lifecycle.js';
import { bringTo, PLACES } from '../support/places.js';
import { DEFINITIONS, expectValid, isValid, SCHEMA_TEXT } from '../support/schema.js';
import { startTestWorld, type TestWorld } from '../support/world.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Json = Record<string, unknown>;

describe('schema/contract.json', () => {
  it('matches the types of src/contract', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-schema-'));
    try {
      const file = join(directory, 'contract.json');
      await promisify(execFile)(process.execPath, [join(root, 'scripts', 'schema.js'), file]);
      expect(await readFile(file, 'utf8'), 'The contract has changed: run `npm run schema` and commit the file').toBe(
        SCHEMA_TEXT,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('has the defaults of the plan and every failure type', () => {
    const parts = Object.entries(DEFINITIONS.Plan?.properties ?? {});
    expect(Object.fromEntries(parts.map(([name, { default: byDefault }]) => [name, byDefault]))).toEqual(PLAN_DEFAULTS);
    const captureParts = Object.entries(DEFINITIONS.CapturePlan?.properties ?? {});
    expect(Object.fromEntries(captureParts.map(([name, { default: byDefault }]) => [name, byDefault]))).toEqual({
      ...PLAN_DEFAULTS,
      ...CAPTURE_PLAN_DEFAULTS,
    });
    expect(DEFINITIONS.FailureType?.enum).toEqual(Object.values(FAILURES));
  });

  it('has every type of the contract that other languages need', async () => {
    const directory = join(root, 'src', 'contract');
    const texts = await Promise.all((await readdir(directory)).map((file) => readFile(join(directory, file), 'utf8')));
    const types = texts.flatMap((text) =>
      [...text.matchAll(/^export (?:interface|type) (\w+)/gm)].map(([, name]) => name),
    );
    const onlyTypeScript = ['OnboardingWorkflow', 'BatchWorkflow', 'ResolvedPlan', 'ResolvedBatchPlan', 'Milestone'];
    onlyTypeScript.push('CaptureWorkflow', 'CaptureBatchWorkflow', 'ResolvedCapturePlan');
    // Only the package's own processes exchange them.
    onlyTypeScript.push('StartedWith', 'PersonRequest', 'GatewayScope', 'GatewayToken');
    expect(Object.keys(DEFINITIONS).sort()).toEqual(
      types.filter((name) => !onlyTypeScript.includes(String(name))).sort(),
    );
  });

  it('describes every type', () => {
    const undescribed = Object.entries(DEFINITIONS).filter(([, type]) => !type.description);
    expect(undescribed.map(([name]) => name)).toEqual([]);
  });
});

describe('guards and schema', () => {
  const GUARDS: Record<string, (value: unknown) => unknown> = {
    OnboardingInput: checkOnboardingInput,
    RenewTokenInput: checkRenewTokenInput,
    ExtendDeadlineInput: checkExtendDeadlineInput,
    BatchInput: checkBatchInput,
    CaptureInput: checkCaptureInput,
    CaptureBatchInput: checkCaptureBatchInput,
    ReplaceImageInput: checkReplaceImageInput,
    SessionStartedInput: (value) => {
      if (parseSessionStarted(value) === undefined) throw new Error('ignored');
    },
    StatusChangedInput: (value) => {
      if (parseStatusChanged(value, 'a') === undefined) throw new Error('ignored');
    },
  };

  function byGuard(type: string, value: unknown): 'good' | 'bad' {
    try {
      GUARDS[type]?.(value);
      return 'good';
    } catch {
      return 'bad';
    }
  }

  const bySchema = (type: string, value: unknown) => (isValid(type, value) ? 'good' : 'bad');

  const a = { interviewId: 'a' };
  const plan = (part: Json) => ({ ...a, plan: part });
  const shard = { batchId: 'b', shard: 0, sessions: [a] };
  const image = { uri: 'file:a' };
  const ann = { reference: 'ann-1', front: image };
  const people = { batchId: 'b', shard: 0, people: [ann] };
  const manyPeople = (count: number) => Array.from({ length: count }, (_, at) => ({ ...ann, reference: `ann-${at}` }));
  const many = (count: number) => Array.from({ length: count }, (_, at) => ({ interviewId: `i${at}` }));

  const SAME: [type: string, verdict: 'good' | 'bad', value: unknown][] = [
    ['OnboardingInput', 'good', a],
    ['OnboardingInput', 'good', { ...a, sessionToken: 't', flowId: 'f', plan: PLAN_DEFAULTS, verifyFirst: true }],
    ['OnboardingInput', 'good', { ...a, verifyFirst: 'trust' }],
    ['OnboardingInput', 'good', { ...a, sessionToken: null, flowId: null, plan: null, verifyFirst: null }],
    ['OnboardingInput', 'good', { interviewId: '!~'.repeat(100) }],
    ['OnboardingInput', 'good', { ...a, sessionToken: 'x'.repeat(16_384) }],
    ['OnboardingInput', 'good', plan({})],
    ['OnboardingInput', 'good', plan(Object.fromEntries(Object.keys(PLAN_DEFAULTS).map((part) => [part, null])))],
    ['OnboardingInput', 'good', plan({ finishWhen: 'processed', review: 'wait' })],
    ['OnboardingInput', 'bad', null],
    ['OnboardingInput', 'bad', []],
    ['OnboardingInput', 'bad', 'a'],
    ['OnboardingInput', 'bad', {}],
    ['OnboardingInput', 'bad', { interviewId: null }],
    ['OnboardingInput', 'bad', { interviewId: '' }],
    ['OnboardingInput', 'bad', { interviewId: 7 }],
    ['OnboardingInput', 'bad', { interviewId: 'a b' }],
    ['OnboardingInput', 'bad', { interviewId: 'é' }],
    ['OnboardingInput', 'bad', { interviewId: 'a'.repeat(201) }],
    ['OnboardingInput', 'bad', { ...a, sessionToken: '' }],
    ['OnboardingInput', 'bad', { ...a, sessionToken: 'x\r\ny' }],
    ['OnboardingInput', 'bad', { ...a, sessionToken: 'x'.repeat(16_385) }],
    ['OnboardingInput', 'bad', { ...a, flowId: '' }],
    ['OnboardingInput', 'bad', { ...a, flowId: 'f'.repeat(201) }],
    ['OnboardingInput', 'bad', { ...a, sesionToken: 't' }],
    ['OnboardingInput', 'bad', { ...a, verifyFirst: 'yes' }],
    ['OnboardingInput', 'bad', { ...a, plan: 'now' }],
    ['OnboardingInput', 'bad', plan({ scores: true })],
    ['OnboardingInput', 'bad', plan({ finishWhen: 'later' })],
    ['OnboardingInput', 'bad', plan({ review: true })],
    ['OnboardingInput', 'bad', plan({ close: 'yes' })],
    ['OnboardingInput', 'bad', plan({ scoreDeadline: 900 })],
    ['RenewTokenInput', 'good', { sessionToken: 't' }],
    ['RenewTokenInput', 'bad', 't'],
    ['RenewTokenInput', 'bad', {}],
    ['RenewTokenInput', 'bad', { sessionToken: null }],
    ['RenewTokenInput', 'bad', { sessionToken: 't', token: 't' }],
    ['ExtendDeadlineInput', 'good', { by: '7 days' }],
    ['ExtendDeadlineInput', 'bad', '7 days'],
    ['ExtendDeadlineInput', 'bad', { by: null }],
    ['ExtendDeadlineInput', 'bad', { by: '7 days', from: 'now' }],
    ['StatusChangedInput', 'good', { ...a, onboardingStatus: 'EXPIRED' }],
    ['StatusChangedInput', 'good', { ...a, onboardingStatus: 'NEW_ONE', timestamp: 1, clientId: 'c' }],
    ['StatusChangedInput', 'bad', { ...a, onboardingStatus: 'X'.repeat(65) }],
    ['StatusChangedInput', 'bad', { ...a, onboardingStatus: 'NEW ONE' }],
    ['StatusChangedInput', 'bad', { ...a, onboardingStatus: null }],
    ['StatusChangedInput', 'bad', a],
    ['StatusChangedInput', 'bad', 'EXPIRED'],
    ['BatchInput', 'good', shard],
    ['BatchInput', 'good', { ...shard, batchId: 'A-z_0.9:@', shard: 7, plan: null, earlier: null }],
    ['BatchInput', 'good', { ...shard, sessions: [{ ...a, sessionToken: 't', flowId: null }] }],
    ['BatchInput', 'good', { ...shard, plan: { close: true, score: null, scoreDeadline: '5m' } }],
    ['BatchInput', 'good', { ...shard, sessions: many(MAX_SHARD_SESSIONS) }],
    ['BatchInput', 'good', { ...shard, earlier: [null] }],
    ['BatchInput', 'good', { ...shard, earlier: [{ outcome: 'approved' }] }],
    ['BatchInput', 'bad', { ...shard, batchId: undefined }],
    ['BatchInput', 'bad', { ...shard, batchId: 'a/b' }],
    ['BatchInput', 'bad', { ...shard, batchId: 'b'.repeat(201) }],
    ['BatchInput', 'bad', { ...shard, shard: -1 }],
    ['BatchInput', 'bad', { ...shard, shard: 0.5 }],
    ['BatchInput', 'bad', { ...shard, shard: '0' }],
    ['BatchInput', 'bad', { ...shard, shard: 1e300 }],
    ['BatchInput', 'bad', { ...shard, sessions: [] }],
    ['BatchInput', 'bad', { ...shard, sessions: ['a'] }],
    ['BatchInput', 'bad', { ...shard, sessions: [{ ...a, plan: {} }] }],
    ['BatchInput', 'bad', { ...shard, sessions: many(MAX_SHARD_SESSIONS + 1) }],
    ['BatchInput', 'bad', { ...shard, plan: { review: 'wait' } }],
    ['BatchInput', 'bad', { ...shard, earlier: {} }],
    ['BatchInput', 'bad', { ...shard, more: true }],
    ['CaptureBatchInput', 'good', people],
    ['CaptureBatchInput', 'good', { ...people, plan: null, retryFailed: null, earlier: null }],
    ['CaptureBatchInput', 'good', { ...people, plan: { government: true }, retryFailed: true, earlier: [null] }],
    ['CaptureBatchInput', 'good', { ...people, people: [{ ...ann, back: null, customFields: { a: 'b' } }] }],
    ['CaptureBatchInput', 'good', { ...people, people: manyPeople(MAX_SHARD_PEOPLE) }],
    ['CaptureBatchInput', 'bad', { ...people, people: manyPeople(MAX_SHARD_PEOPLE + 1) }],
    ['CaptureBatchInput', 'bad', { ...people, people: [] }],
    ['CaptureBatchInput', 'bad', { ...people, people: [{ reference: 'a' }] }],
    ['CaptureBatchInput', 'bad', { ...people, people: [{ ...ann, plan: {} }] }],
    ['CaptureBatchInput', 'bad', { ...people, batchId: 'a b' }],
    ['CaptureBatchInput', 'bad', { ...people, shard: -1 }],
    ['CaptureBatchInput', 'bad', { ...people, retryFailed: 'yes' }],
    ['CaptureBatchInput', 'bad', { ...people, plan: { finishWhen: 'later' } }],
    ['CaptureBatchInput', 'bad', { ...people, verifyFirst: 'look' }],
    ['CaptureInput', 'good', ann],
    [
      'CaptureInput',
      'good',
      { ...ann, back: null, selfie: null, configurationId: null, customFields: null, plan: null },
    ],
    ['CaptureInput', 'good', { ...ann, back: image, selfie: { ...image, sha256: 'a0'.repeat(32), bytes: 1 } }],
    ['CaptureInput', 'good', { ...ann, configurationId: 'c', countryCode: 'ALL', customFields: { a: 'Änn', b: '' } }],
    ['CaptureInput', 'good', { ...ann, plan: { ...PLAN_DEFAULTS, ...CAPTURE_PLAN_DEFAULTS } }],
    ['CaptureInput', 'good', { reference: '!~'.repeat(75), front: image }],
    ['CaptureInput', 'bad', {}],
    ['CaptureInput', 'bad', { reference: 'ann-1' }],
    ['CaptureInput', 'bad', { front: image }],
    ['CaptureInput', 'bad', { ...ann, reference: 'a b' }],
    ['CaptureInput', 'bad', { ...ann, reference: 'a'.repeat(151) }],
    ['CaptureInput', 'bad', { ...ann, front: 'file:a' }],
    ['CaptureInput', 'bad', { ...ann, front: { uri: 'a' } }],
    ['CaptureInput', 'bad', { ...ann, front: { uri: 'https://a/b?c=d' } }],
    ['CaptureInput', 'bad', { ...ann, front: { ...image, bytes: 0 } }],
    ['CaptureInput', 'bad', { ...ann, front: { ...image, sha256: 'A0' } }],
    ['CaptureInput', 'bad', { ...ann, countryCode: 'Germany' }],
    ['CaptureInput', 'bad', { ...ann, customFields: { a: 5 } }],
    ['CaptureInput', 'bad', { ...ann, customFields: { a: '\u0007' } }],
    ['CaptureInput', 'bad', { ...ann, customFields: { a: 'a'.repeat(1_001) } }],
    ['CaptureInput', 'bad', { ...ann, plan: { onRefusedImage: 'later' } }],
    ['CaptureInput', 'bad', { ...ann, plan: { imageDeadline: '0s' } }],
    ['CaptureInput', 'bad', { ...ann, plan: { watch: true } }],
    ['CaptureInput', 'bad', { ...ann, interviewId: 'a' }],
    ['ReplaceImageInput', 'good', { side: 'back', image }],
    ['ReplaceImageInput', 'bad', { side: 'top', image }],
    ['ReplaceImageInput', 'bad', { side: 'back' }],
    ['ReplaceImageInput', 'bad', { side: 'back', image, retry: true }],
    ['SessionStartedInput', 'good', { ...a, externalCustomerId: 'b', event_type: 'SESSION_STARTED' }],
    ['SessionStartedInput', 'bad', a],
    ['SessionStartedInput', 'bad', { externalCustomerId: 'b' }],
  ];

  it.each(
    SAME.map((row) => {
      const [type, verdict, value] = row;
      const judge = verdict === 'good' ? 'accept' : 'refuse';
      return [`${judge} the ${type} ${JSON.stringify(value)?.slice(0, 90)}`, ...row] as const;
    }),
  )('%s', (_, type, verdict, value) => {
    // JSON has no `undefined`.
    const sent = JSON.parse(JSON.stringify(value));
    expect({ guard: byGuard(type, sent), schema: bySchema(type, sent) }).toEqual({ guard: verdict, schema: verdict });
  });

  /** Rules that JSON Schema cannot express, or that need no schema. */
  const DIFFERENT: [rule: string, type: string, value: unknown, guard: 'good' | 'bad'][] = [
    ['two sessions with one id', 'BatchInput', { ...shard, sessions: [a, { ...a, flowId: 'f' }] }, 'bad'],
    ['more rows than sessions', 'BatchInput', { ...shard, earlier: [null, null] }, 'bad'],
    ['a duration above ten years', 'ExtendDeadlineInput', { by: '9999 weeks' }, 'bad'],
    ['an image with a login', 'CaptureInput', { reference: 'a', front: { uri: 'https://a:b@c/d' } }, 'bad'],
    ['a custom field without a name', 'CaptureInput', { ...ann, customFields: { '': 'a' } }, 'bad'],
    // A caller that is newer than the worker may send `null` for a field that it does not use.
    ['an unknown field that is null', 'OnboardingInput', { ...a, novelty: null }, 'good'],
    ['less than half a millisecond', 'ExtendDeadlineInput', { by: '0.001 ms' }, 'bad'],
    ['the status of another session', 'StatusChangedInput', { interviewId: 'b', onboardingStatus: 'EXPIRED' }, 'bad'],
    // Webhooks always have the id. The schema asks callers for it, because the workflow cannot check the session without it.
    ['a status without its session', 'StatusChangedInput', { onboardingStatus: 'EXPIRED' }, 'good'],
    // Rows come from an earlier result. Checking 2,000 of them in a workflow task would take too long.
    [
      'an unknown outcome in the rows of an earlier run',
      'BatchInput',
      { ...shard, earlier: [{ outcome: 'maybe' }] },
      'good',
    ],
  ];

  it.each(DIFFERENT)('guards and schema disagree about %s', (_, type, value, guard) => {
    const schema = guard === 'good' ? 'bad' : 'good';
    expect({ guard: byGuard(type, value), schema: bySchema(type, value) }).toEqual({ guard, schema });
  });

  const UNITS =
    'ms msec msecs millisecond milliseconds s sec secs second seconds m min mins minute minutes h hr hrs hour hours';
  const DURATIONS = [
    ...`${UNITS} d day days w week weeks`.split(' ').flatMap((unit) => [`2${unit}`, `2 ${unit.toUpperCase()}`]),
    ...[
      '1.5 Days',
      ' 36h ',
      '0.5s',
      '007 days',
      '10s',
      '0.0s',
      '0',
      '5',
      '0s',
      '00 s',
      '-1s',
      '+1s',
      '1e3s',
      '.5s',
      '1.s',
    ],
    ...[
      '7 dys',
      '1 inute',
      '1 toString',
      'day',
      's',
      '',
      ' ',
      '1 day 2 hours',
      '1,5 days',
      '1 month',
      '1 y',
      '1 minutess',
    ],
  ];

  it.each(DURATIONS)('guards and schema agree about the duration "%s"', (duration) => {
    expect(isValid('DurationString', duration)).toBe(parseDuration(duration) !== undefined);
  });
});

/** The definitions that describe the JSON in a history. */
const PARTS: Record<string, { input?: string; answer?: string }> = {
  [ONBOARDING_WORKFLOW]: { input: 'OnboardingInput', answer: 'OnboardingResult' },
  [BATCH_WORKFLOW]: { input: 'BatchInput', answer: 'BatchResult' },
  [CAPTURE_WORKFLOW]: { input: 'CaptureInput', answer: 'CaptureResult' },
  [CAPTURE_BATCH_WORKFLOW]: { input: 'CaptureBatchInput', answer: 'CaptureBatchResult' },
  [CAPTURE_UPDATES.replaceImage]: { input: 'ReplaceImageInput' },
  [CAPTURE_SIGNALS.sessionStarted]: { input: 'SessionStartedInput' },
  [UPDATES.finish]: { answer: 'FinishAnswer' },
  [UPDATES.renewToken]: { input: 'RenewTokenInput' },
  [UPDATES.extendDeadline]: { input: 'ExtendDeadlineInput', answer: 'ExtendedDeadline' },
  [SIGNALS.statusChanged]: { input: 'StatusChangedInput' },
};

describe('inputs and answers in the recorded histories', async () => {
  const directory = join(root, 'test', 'replay', 'histories');
  const seen = new Set<string>();

  // The workflows behind Nexus and claims are internal, and the input of one history is not JSON.
  const without = /^(answer.*|claims|start-unreadable)\.json$/;
  const files = (await readdir(directory)).filter((file) => !without.test(file));
  it.each(files)('inputs and answers in the history of %s match the schema', async (file) => {
    const found = valuesOf(JSON.parse(await readFile(join(directory, file), 'utf8')));
    expect(found.length).toBeGreaterThan(0);
    for (const [type, value] of found) {
      seen.add(type);
      // Most histories were recorded before results had `closed`.
      expectValid(type, type === 'OnboardingResult' ? { closed: null, ...(value as Json) } : value);
    }
  });

  it('the recorded histories contain every definition of the schema', () => {
    const parts = Object.values(PARTS).flatMap(({ input, answer }) => [input, answer]);
    expect(parts.filter((type) => type && !seen.has(type))).toEqual([]);
    expect(seen).toContain('FailureType');
  });
});

describe('answers of a running workflow', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startTestWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(PLACES)('the state in %s matches the schema', async (place) => {
    const { interviewId } = await bringTo(world, place);
    expectValid('OnboardingState', await stateOf(world, interviewId));
  });

  it.each(['ONBOARDING_FINISHED', 'EXPIRED', undefined])(
    'result and state of a session that was %s match the schema',
    async (status) => {
      const { interviewId } = await begin(world, {}, status ? { onboardingStatus: status } : {});
      expectValid('OnboardingResult', await world.onboarding.result(interviewId));
      expectValid('OnboardingState', await stateOf(world, interviewId));
    },
  );

  it('the progress of a shard and its rows match the schema', async () => {
    const sessions = await world.sessions(4);
    const refused = sessions[1]?.interviewId ?? '';
    world.simulator.fault({ operation: 'finishStatus', interviewId: refused, kind: 'status', status: 400 });
    const unclosed = sessions[2]?.interviewId ?? '';
    world.simulator.fault({ operation: 'closeSession', interviewId: unclosed, kind: 'status', status: 400 });
    const [slow] = await world.sessions(1, { scoreReadyAfterMs: null });
    const handle = await startShard(world, [...sessions, ...(slow ? [slow] : [])], { plan: { close: true } });
    await expect.poll(async () => (await handle.query<Json>(BATCH_QUERIES.progress)).waiting).toBe(1);
    expectValid('BatchProgress', await handle.query(BATCH_QUERIES.progress));
    await handle.signal('stop');
    const result = await handle.result();
    expectValid('BatchResult', result);
    expect(result.rows[1]?.failure?.type).toBe(FAILURES.badRequest);
    expect(result.rows[2]?.notClosed).toBe(true);
    expect(result.rows[4]?.failure?.type).toBe(FAILURES.batchStopped);
    for (const { failure } of result.rows) if (failure) expectValid('FailureType', failure.type);
  });
});

interface Payloads {
  payloads?: { data: string }[];
}

/** @returns inputs, arguments and answers of a history, each with the name of its definition */
function valuesOf({ events }: { events: Record<string, Json>[] }): [type: string, value: unknown][] {
  const found: [string, unknown][] = [];
  const take = (type: string | undefined, { payloads = [] }: Payloads = {}) => {
    if (type && payloads[0]) found.push([type, JSON.parse(Buffer.from(payloads[0].data, 'base64').toString())]);
  };
  const updates = new Map<unknown, string>();
  let workflow = '';
  for (const event of events) {
    const started = event.workflowExecutionStartedEventAttributes as
      | { workflowType: Json; input: Payloads }
      | undefined;
    if (started) {
      workflow = String(started.workflowType.name);
      take(PARTS[workflow]?.input, started.input);
    }
    const completed = event.workflowExecutionCompletedEventAttributes as { result: Payloads } | undefined;
    take(PARTS[workflow]?.answer, completed?.result);
    const signal = event.workflowExecutionSignaledEventAttributes as
      | { signalName: string; input: Payloads }
      | undefined;
    take(PARTS[signal?.signalName ?? '']?.input, signal?.input);
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes as
      | { acceptedRequest: { input: { name: string; args?: Payloads } } }
      | undefined;
    if (accepted) {
      const { name, args } = accepted.acceptedRequest.input;
      updates.set(event.eventId, name);
      take(PARTS[name]?.input, args);
    }
    const answered = event.workflowExecutionUpdateCompletedEventAttributes as
      | { acceptedEventId: string; outcome: { success?: Payloads } }
      | undefined;
    if (answered) take(PARTS[updates.get(answered.acceptedEventId) ?? '']?.answer, answered.outcome.success);
    const failed = event.workflowExecutionFailedEventAttributes as
      | { failure: { applicationFailureInfo?: { type: string } } }
      | undefined;
    if (failed?.failure.applicationFailureInfo) found.push(['FailureType', failed.failure.applicationFailureInfo.type]);
  }
  return found;
}
