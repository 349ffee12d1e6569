import { describe, expect, it } from 'vitest';
import { parseSessionStarted } from '../../src/contract/capture-guards.js';
import {
  backTaskQueue,
  documentTaskQueue,
  faceTaskQueue,
  frontTaskQueue,
  processFaceTaskQueue,
  processIdTaskQueue,
} from '../../src/contract/capture-workflow.js';
import {
  CAPTURE_PLAN_DEFAULTS,
  capturePlanWithDefaults,
  captureWorkflowId,
  checkCaptureInput,
  checkReplaceImageInput,
  externalCustomerIdOf,
  InvalidInputError,
  PLAN_DEFAULTS,
  referenceOf,
  resolveCapturePlan,
} from '../../src/contract/index.js';

const front = { uri: 'file:ann/front.jpg' };
const person = { reference: 'ann-1', front };

function refusal(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.message;
  }
  return 'accepted';
}

describe('checkCaptureInput', () => {
  it('accepts a person with a plan of session and capture parts, and one without a plan', () => {
    const plan = { close: true, onRefusedImage: 'wait', imageDeadline: '1 day' };
    expect(checkCaptureInput({ ...person, plan })).toEqual({ ...person, plan });
    expect(checkCaptureInput({ ...person, plan: null, back: null })).toEqual(person);
  });

  it('accepts the sessions of earlier runs, also with the null of other languages', () => {
    const earlierSessions = [
      { externalCustomerId: 'ann-1~0a1b2c3d4e5f', interviewId: 'session-1' },
      { externalCustomerId: 'ann-1~0a1b2c3d4e60', interviewId: null },
    ];
    expect(checkCaptureInput({ ...person, earlierSessions })).toEqual({ ...person, earlierSessions });
    const [, unnamed] = earlierSessions;
    const absent = [{ externalCustomerId: 'ann-1~0a1b2c3d4e60' }];
    expect(checkCaptureInput({ ...person, earlierSessions: absent })).toEqual({
      ...person,
      earlierSessions: [unnamed],
    });
  });

  it.each([
    ['input must be an object', 'ann-1'],
    ['earlierSessions must be a list of at most 20 sessions', { ...person, earlierSessions: {} }],
    ['earlierSessions must be a list of at most 20 sessions', { ...person, earlierSessions: Array(21).fill({}) }],
    ['earlierSessions[0] must be an object', { ...person, earlierSessions: ['session-1'] }],
    ['earlierSessions[0].externalCustomerId must be printable', { ...person, earlierSessions: [{ interviewId: 'a' }] }],
    [
      'earlierSessions[0].interviewId must be an interview id or null',
      { ...person, earlierSessions: [{ externalCustomerId: 'ann-1~1', interviewId: 'two words' }] },
    ],
    ['reference must be printable ASCII without spaces', { front }],
    ['front must be an object', { reference: 'ann-1' }],
    ['images is not known', { ...person, images: {} }],
    ['plan must be an object', { ...person, plan: 'wait' }],
    ['plan.onRefused is not known', { ...person, plan: { onRefused: 'wait' } }],
    ['plan.onRefusedImage must be one of continue, wait, fail', { ...person, plan: { onRefusedImage: true } }],
    ['plan.imageDeadline must be a duration', { ...person, plan: { imageDeadline: 7 } }],
    ['plan.government must be true or false', { ...person, plan: { government: 'yes' } }],
    ['plan.close must be true or false', { ...person, plan: { close: 'yes' } }],
  ])('says "%s"', (message, input) => {
    expect(refusal(() => checkCaptureInput(input))).toContain(message);
  });
});

describe('resolveCapturePlan', () => {
  it('fills in the defaults of its own parts only', () => {
    expect(resolveCapturePlan({ close: true })).toEqual({
      onRefusedImage: 'continue',
      imageDeadlineMs: 7 * 86_400_000,
      processDeadlineMs: 15 * 60_000,
      findSessionWithinMs: 120_000,
      government: false,
      watchlist: false,
      purge: 'none',
      session: { close: true },
    });
    expect(resolveCapturePlan(undefined).session).toEqual({});
  });
});

describe('capturePlanWithDefaults', () => {
  it('has every part', () => {
    const defaults = { ...PLAN_DEFAULTS, ...CAPTURE_PLAN_DEFAULTS };
    expect(capturePlanWithDefaults(undefined)).toEqual(defaults);
    expect(capturePlanWithDefaults({ onRefusedImage: 'fail' })).toEqual({ ...defaults, onRefusedImage: 'fail' });
  });
});

describe('checkReplaceImageInput', () => {
  it('accepts an image of a side', () => {
    expect(checkReplaceImageInput({ side: 'selfie', image: front })).toEqual({ side: 'selfie', image: front });
  });

  it.each([
    ['replaceImage must be an object', undefined],
    ['replaceImage.side must be one of front, back, selfie', { side: 'left', image: front }],
    ['replaceImage.image.uri must be an address', { side: 'front', image: {} }],
    ['replaceImage.uri is not known', { side: 'front', image: front, uri: 'file:a' }],
  ])('says "%s"', (message, input) => {
    expect(refusal(() => checkReplaceImageInput(input))).toContain(message);
  });
});

describe('parseSessionStarted', () => {
  it('reads the two ids and ignores other fields', () => {
    const ids = { interviewId: 'i', externalCustomerId: 'ann-1~000000000000' };
    expect(parseSessionStarted({ ...ids, event_type: 'SESSION_STARTED' })).toEqual(ids);
  });

  it.each([null, 'i', {}, { interviewId: 'i' }, { interviewId: 'a b', externalCustomerId: 'c' }])(
    'ignores %j',
    (value) => {
      expect(parseSessionStarted(value)).toBeUndefined();
    },
  );
});

describe('the ids of a person', () => {
  it('the id of a person at Incode leads back to the reference', () => {
    const id = externalCustomerIdOf('a~b', '0123456789ab');
    expect(id).toBe('a~b~0123456789ab');
    expect(referenceOf(id)).toBe('a~b');
    expect(captureWorkflowId('a~b')).toBe('incode-capture/a~b');
  });

  it.each(['ann-1', 'ann-1~5', '~0123456789ab', 'ann-1~0123456789AB'])(
    'the id %s does not lead to a reference',
    (id) => {
      expect(referenceOf(id)).toBeUndefined();
    },
  );
});

describe('the task queues of a person', () => {
  it('the task queues of a person are named after that of the workflow', () => {
    const queues = [
      frontTaskQueue,
      documentTaskQueue,
      backTaskQueue,
      processIdTaskQueue,
      faceTaskQueue,
      processFaceTaskQueue,
    ];
    expect(queues.map((queueOf) => queueOf('q'))).toEqual([
      'q-fronts',
      'q-documents',
      'q-backs',
      'q-process-id',
      'q-faces',
      'q-process-face',
    ]);
  });
});
