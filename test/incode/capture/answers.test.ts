import { describe, expect, it } from 'vitest';
import {
  parseDeleted,
  readFaceMatch,
  readGovernment,
  readIdImage,
  readIsFinished,
  readOpened,
  readProcessId,
  readSelfie,
  readWatchlist,
  refusedDelete,
  refusedFaceMatch,
  refusedIdImage,
  refusedProcessId,
  refusedSelfie,
} from '../../../src/incode/capture/answers.js';
import { errorAnswer, type Fields, readObject } from '../../../src/incode/responses.js';

const NOTHING = { assessment: 'accepted', failReason: null, code: null, failedChecks: [] };
const ID_UNKNOWN = { ...NOTHING, typeOfId: null, hasNoBack: false, isDocumentExpired: null };

/** What Incode reads from a document, which no answer may keep. */
const OCR = { name: 'CANARY', ocrData: { name: 'CANARY' }, issueName: 'CANARY', errorDescription: 'CANARY', age: 33 };

const error = (status: number, body: Fields) =>
  errorAnswer(
    { ended: 'answered', status, retryAfter: undefined, body: JSON.stringify(body) },
    status === 400 ? 'badRequest' : 'resultUnknown',
  );
const refusal = (code: number, status = 400) => error(status, { timestamp: 1, status: code, error: 'E', path: '/' });

/** One value of every type, for a field that should have another one. */
const WRONG: unknown[] = [null, '', 'x'.repeat(100_000), -1, 1e300, [], [''], {}, { finished: true }];

describe('readIdImage', () => {
  it('accepts an image of which Incode says nothing', () => {
    expect(readIdImage({})).toEqual(ID_UNKNOWN);
  });

  it('keeps the type of the document and nothing that was read from it', () => {
    const answer = readIdImage({ ...OCR, typeOfId: 'IdentificationCard', isDocumentExpired: true, failReason: null });
    expect(answer).toEqual({ ...ID_UNKNOWN, typeOfId: 'IdentificationCard', isDocumentExpired: true });
  });

  it.each([
    ['DOCUMENT_NOT_READABLE', 'DOCUMENT_NOT_READABLE'],
    ['BRAND_NEW_REASON', 'BRAND_NEW_REASON'],
    [' WRONG_DOCUMENT_SIDE ', 'WRONG_DOCUMENT_SIDE'],
    ['the document of Jane Doe', 'UNRECOGNIZED'],
    ['X'.repeat(65), 'UNRECOGNIZED'],
    [{ reason: 'CANARY' }, 'UNRECOGNIZED'],
    [true, 'UNRECOGNIZED'],
  ])('refuses an image with the failReason %j as %s', (failReason, kept) => {
    expect(readIdImage({ failReason })).toEqual({ ...ID_UNKNOWN, assessment: 'refused', failReason: kept });
  });

  it.each([undefined, null, '', false])('takes the failReason %j as none', (failReason) => {
    expect(readIdImage({ failReason })).toEqual(ID_UNKNOWN);
  });

  it('refuses an image if Incode says that the upload did not succeed', () => {
    expect(readIdImage({ success: false })).toMatchObject({ assessment: 'refused', failReason: 'UNRECOGNIZED' });
  });

  it.each([
    ['classification', 'classification'],
    ['readability', 'readability'],
    ['correctSharpness', 'sharpness'],
    ['correctGlare', 'glare'],
    ['idQualityAttemptApproved', 'quality'],
  ])('reports an image with %s false as doubtful for its %s', (field, check) => {
    expect(readIdImage({ [field]: false })).toEqual({ ...ID_UNKNOWN, assessment: 'doubtful', failedChecks: [check] });
    expect(readIdImage({ [field]: true })).toEqual(ID_UNKNOWN);
  });

  it.each([
    [{ skipBackIdCapture: true }, true],
    [{ typeOfId: 'Passport' }, true],
    [{ typeOfId: 'PASSPORT' }, true],
    [{ typeOfId: 'PassportCard' }, false],
    [{ skipBackIdCapture: 'true' }, false],
  ])('readIdImage of %j says whether the document has no back: %s', (fields, hasNoBack) => {
    expect(readIdImage(fields).hasNoBack).toBe(hasNoBack);
  });
});

describe('readSelfie', () => {
  const selfie = { ...NOTHING, confidence: 0 };

  it.each([0, '0', '0.0'])('accepts a selfie with the confidence %j', (confidence) => {
    expect(readSelfie({ ...OCR, confidence, isBright: true, hasLenses: false })).toEqual(selfie);
  });

  it.each([1, '1.0', 0.2])('refuses a selfie with the confidence %j, which shows no living person', (confidence) => {
    expect(readSelfie({ confidence })).toEqual({
      ...selfie,
      assessment: 'refused',
      failedChecks: ['liveness'],
      confidence: Number(confidence),
    });
  });

  it.each([
    [{ isBright: false }, 'brightness'],
    [{ confidence: null }, 'brightness'],
    [{ hasLenses: true }, 'lenses'],
    [{ hasFaceMask: true }, 'faceMask'],
    [{ hasHeadCover: true }, 'headCover'],
  ])('reports a selfie with %j as doubtful for its %s', (fields, check) => {
    expect(readSelfie({ confidence: 0, ...fields })).toMatchObject({ assessment: 'doubtful', failedChecks: [check] });
  });

  it('reports an empty answer as a doubtful selfie', () => {
    expect(readSelfie({})).toMatchObject({ assessment: 'doubtful', confidence: null });
  });
});

describe('readers of refused images', () => {
  it('a reader returns the code of an error about the image', () => {
    const refused = { ...NOTHING, assessment: 'refused', code: 4_019 };
    expect(refusedIdImage(refusal(4_019))).toEqual({ ...ID_UNKNOWN, ...refused });
    expect(refusedSelfie(refusal(4_019))).toEqual({ ...refused, confidence: null });
    expect(refusedFaceMatch(refusal(4_019))).toEqual({
      confidence: null,
      existingUser: null,
      nameMatched: null,
      code: 4_019,
    });
  });

  it('every reader returns undefined for any other error', () => {
    const other = error(400, { timestamp: 1, status: 400, error: 'E' });
    for (const read of [refusedIdImage, refusedSelfie, refusedFaceMatch, refusedProcessId]) {
      expect(read(other)).toBeUndefined();
    }
  });
});

describe('process/id', () => {
  it('has started if Incode does not say otherwise', () => {
    for (const fields of [{}, { success: true, isDocumentExpired: true }, { failReason: null }]) {
      expect(readProcessId(fields)).toEqual({ result: 'started', code: null });
    }
  });

  it.each([{ success: false }, { failReason: 'UNKNOWN_DOCUMENT_TYPE' }])(
    'has failed if Incode answers %j',
    (fields) => {
      expect(readProcessId(fields)).toEqual({ result: 'failed', code: null });
    },
  );

  it('has failed if Incode answers with a code about the images', () => {
    expect(refusedProcessId(refusal(6_000, 500))).toEqual({ result: 'failed', code: 6_000 });
  });

  it.each(['Id already processed', 'NumberFormatException: Cannot parse null string'])(
    'was already called if Incode says "%s", in an error or in a success',
    (message) => {
      const already = { result: 'alreadyProcessed', code: null };
      for (const status of [400, 409, 500]) {
        expect(refusedProcessId(error(status, { timestamp: 1, status, error: 'E', message }))).toEqual(already);
      }
      expect(readProcessId({ success: false, message })).toEqual(already);
    },
  );
});

describe('other readers', () => {
  it('readIsFinished needs a boolean', () => {
    expect(readIsFinished({ finished: false })).toEqual({ finished: false });
    for (const finished of [undefined, 'true', 1, ...WRONG]) expect(readIsFinished({ finished })).toBeUndefined();
  });

  it('readFaceMatch keeps the comparison and no other session', () => {
    const fields = { confidence: '0.98', existingUser: true, nameMatched: false, existingInterviewId: 'CANARY' };
    expect(readFaceMatch({ ...OCR, ...fields, existingExternalId: 'CANARY' })).toEqual({
      confidence: 0.98,
      existingUser: true,
      nameMatched: false,
      code: null,
    });
  });

  it('readGovernment keeps the verdict and its status', () => {
    const fields = { ...OCR, governmentValidation: { name: 'CANARY' } };
    expect(readGovernment({ ...fields, valid: false, statusCode: '3' })).toEqual({ valid: false, statusCode: 3 });
    expect(readGovernment({})).toEqual({ valid: null, statusCode: null });
  });

  it('readWatchlist counts hits and keeps none', () => {
    expect(readWatchlist({ content: { data: { hits: [{ name: 'CANARY' }] } } })).toEqual({ hits: 1 });
    for (const content of [undefined, null, 'x', { data: null }, { data: { hits: 3 } }]) {
      expect(readWatchlist({ content })).toEqual({ hits: null });
    }
  });

  it('readOpened needs an id and a token that later calls can use', () => {
    const opened = { interviewId: 'i', token: 't', existingSession: false };
    expect(readOpened({ ...opened, env: 'demo' })).toEqual(opened);
    expect(readOpened({ interviewId: 'i' })).toBeUndefined();
    for (const wrong of ['a b', 'a\nb', 'ä', 'x'.repeat(100_000)]) {
      expect(readOpened({ ...opened, interviewId: wrong })).toBeUndefined();
      expect(readOpened({ ...opened, token: wrong })).toBeUndefined();
    }
  });

  it.each([
    ['', {}],
    ['\n', {}],
    ['{"success": true}', { success: true }],
    ['{"success": false}', undefined],
  ])('parseDeleted reads the answer %j as %j', (body, expected) => {
    expect(parseDeleted(body, readObject)).toEqual(expected);
  });

  it('refusedDelete takes an unknown session as deleted before', () => {
    const facts = { code: undefined, message: null };
    expect(refusedDelete({ ...facts, kind: 'unknownSession', httpStatus: 404 })).toEqual({ existed: false });
    expect(refusedDelete({ ...facts, kind: 'resultUnknown', httpStatus: 204 })).toEqual({ existed: true });
    expect(refusedDelete({ ...facts, kind: 'tokenRefused', httpStatus: 401 })).toBeUndefined();
  });
});

describe('answers with values of a wrong type or size', () => {
  const NAMES = [
    ...['classification', 'typeOfId', 'failReason', 'readability', 'correctSharpness', 'correctGlare'],
    ...['idQualityAttemptApproved', 'skipBackIdCapture', 'isDocumentExpired', 'confidence', 'isBright', 'hasLenses'],
    ...['hasFaceMask', 'hasHeadCover', 'success', 'message', 'existingUser', 'nameMatched', 'valid', 'statusCode'],
    'content',
  ];

  it.each(WRONG.map((value) => [JSON.stringify(value).slice(0, 20), value]))(
    'every reader returns less than 300 bytes if every field is %s',
    (_, value) => {
      const fields = Object.fromEntries(NAMES.map((name) => [name, value]));
      for (const read of [readIdImage, readSelfie, readProcessId, readFaceMatch, readGovernment, readWatchlist]) {
        const text = JSON.stringify(read(fields));
        expect(Buffer.byteLength(text)).toBeLessThan(300);
      }
    },
  );

  it.each([Number.NaN, '1e400', '1'.repeat(16), '0x10', '-', ' 1'])(
    'the confidence %j is not a number',
    (confidence) => {
      expect(readFaceMatch({ confidence }).confidence).toBeNull();
    },
  );
});
