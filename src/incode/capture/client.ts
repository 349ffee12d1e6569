import { type Call, createCaller } from '../caller.js';
import type { SessionAccess } from '../client.js';
import { CLIENT_DEFAULTS, checkOptions } from '../options.js';
import { readObject, readResult } from '../responses.js';
import { startCall } from '../start.js';
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
} from './answers.js';
import { base64Body } from './base64-body.js';
import { flatAnswer } from './flat-answer.js';
import type { CaptureClient, CaptureClientOptions, IdUpload, Upload } from './types.js';

export const CAPTURE_CLIENT_DEFAULTS = {
  ...CLIENT_DEFAULTS,
  processTimeoutMs: 35_000,
  uploadTimeoutMs: 90_000,
  connections: 16,
} as const satisfies Partial<CaptureClientOptions>;

/**
 * Creates a client with its own connection pool, so that uploads do not delay other calls. Close it when you are done.
 *
 * @example
 * const capture = createCaptureClient({ baseUrl: 'https://demo-api.incodesmile.com', apiKey: process.env.INCODE_API_KEY ?? '' });
 * const { token, interviewId } = await capture.start({ configurationId: 'my-flow' });
 * const front = await capture.addFrontId({ interviewId, sessionToken: token, image: await readFile('front.jpg') });
 * await capture.close();
 *
 * @throws TypeError that names the invalid option
 */
export function createCaptureClient(clientOptions: CaptureClientOptions): CaptureClient {
  const options = checkOptions({ ...CAPTURE_CLIENT_DEFAULTS, ...clientOptions });
  const { processTimeoutMs, uploadTimeoutMs } = options;
  const { run, close } = createCaller(options);

  /** The common part of all uploads. */
  function upload({
    sessionToken,
    image,
  }: Upload): Pick<Call<never>, 'method' | 'sessionToken' | 'stream' | 'timeoutMs' | 'parse'> {
    return { method: 'POST', sessionToken, stream: base64Body(image), timeoutMs: uploadTimeoutMs, parse: readResult };
  }

  function process({
    sessionToken,
  }: SessionAccess): Pick<Call<never>, 'method' | 'sessionToken' | 'body' | 'timeoutMs' | 'parse'> {
    return { method: 'POST', sessionToken, body: {}, timeoutMs: processTimeoutMs, parse: readResult };
  }

  const readDeleted = {
    method: 'DELETE',
    parse: (body: string) => parseDeleted(body, readObject),
    read: () => ({ existed: true }),
    readError: refusedDelete,
  } as const;

  return {
    start: (request, callOptions) =>
      run({ ...startCall(request), timeoutMs: processTimeoutMs, read: readOpened }, callOptions),
    addFrontId: (image, callOptions) =>
      run(
        {
          ...upload(image),
          operation: 'addFrontId',
          path: '/omni/add/front-id/v2',
          query: { ...FROM_FILE, onlyFront: String(image.onlyFront ?? false), ...retryOf(image) },
          read: readIdImage,
          readError: refusedIdImage,
        },
        callOptions,
      ),
    addBackId: (image, callOptions) =>
      run(
        {
          ...upload(image),
          operation: 'addBackId',
          path: '/omni/add/back-id/v2',
          query: { ...FROM_FILE, ...retryOf(image) },
          read: readIdImage,
          readError: refusedIdImage,
        },
        callOptions,
      ),
    processId: (session, callOptions) =>
      run(
        {
          ...process(session),
          operation: 'processId',
          path: '/omni/process/id',
          read: readProcessId,
          readError: refusedProcessId,
        },
        callOptions,
      ),
    isFinished: ({ interviewId, sessionToken }, callOptions) =>
      run(
        {
          operation: 'isFinished',
          method: 'GET',
          path: '/omni/get/postprocess/isfinished',
          query: { id: interviewId },
          sessionToken,
          read: readIsFinished,
        },
        callOptions,
      ),
    addFace: (image, callOptions) =>
      run(
        {
          ...upload(image),
          operation: 'addFace',
          path: '/omni/add/face/third-party',
          query: SELFIE,
          read: readSelfie,
          readError: refusedSelfie,
        },
        callOptions,
      ),
    processFace: (session, callOptions) =>
      run(
        {
          ...process(session),
          operation: 'processFace',
          path: '/omni/process/face',
          query: SELFIE,
          read: readFaceMatch,
          readError: refusedFaceMatch,
        },
        callOptions,
      ),
    governmentValidation: (session, callOptions) =>
      run(
        {
          ...process(session),
          operation: 'governmentValidation',
          path: '/omni/process/government-validation',
          read: readGovernment,
        },
        callOptions,
      ),
    watchlist: (session, callOptions) =>
      run(
        { ...process(session), operation: 'watchlist', path: '/omni/process/global-watchlist', read: readWatchlist },
        callOptions,
      ),
    verboseScore: ({ interviewId, executiveToken }, callOptions) =>
      run(
        {
          operation: 'score',
          method: 'GET',
          path: '/omni/get/score',
          query: { id: interviewId, verbose: 'true' },
          sessionToken: executiveToken,
          read: flatAnswer,
        },
        callOptions,
      ),
    ocrValues: ({ interviewId, executiveToken }, callOptions) =>
      run(
        {
          operation: 'ocrData',
          method: 'GET',
          path: '/omni/get/ocr-data/v2',
          query: { id: interviewId },
          sessionToken: executiveToken,
          read: flatAnswer,
        },
        callOptions,
      ),
    deleteImages: ({ interviewId, executiveToken }, callOptions) =>
      run(
        {
          ...readDeleted,
          operation: 'deleteImages',
          path: '/omni/interviews',
          sessionToken: executiveToken,
          body: { filter: { ids: [interviewId] }, config: IMAGES_ONLY },
        },
        callOptions,
      ),
    deleteSession: ({ interviewId, executiveToken }, callOptions) =>
      run(
        {
          ...readDeleted,
          operation: 'deleteSession',
          path: '/omni/interview',
          query: { interviewId },
          sessionToken: executiveToken,
        },
        callOptions,
      ),
    close,
  };
}

/** Incode's own name for a picture that was not taken with its camera view. */
const FROM_FILE = { captureType: 'UPLOAD' };

const SELFIE = { imageType: 'selfie' };

/** The same parameters as in Incode's sample. */
const IMAGES_ONLY = {
  deletePiiDataOnly: true,
  sendNotification: false,
  relatedEntitiesToKeep: ['deviceFingerPrints', 'stats'],
};

function retryOf({ retry }: IdUpload): { retry?: 'true' } {
  return retry ? { retry: 'true' } : {};
}
