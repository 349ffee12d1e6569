import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { FAILURES } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import {
  type CaptureClient,
  IncodeError,
  mayHaveTakenEffect,
  type StartRequest,
  type StartResponse,
} from '../../incode/index.js';
import { callIncode, isFirstAttempt } from '../call.js';
import { Lease, sendWhileLeased } from '../lease.js';
import { emit } from '../observe.js';
import { captureFailure, maybeOpened, openFailure } from './failure.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { OpenedSession, OpenSessionInput } from './types.js';

/** What an attempt passes to the next one, as heartbeat details, which outlive the attempt. */
interface OpenRecord {
  /** Number of the last attempt until which no session can have been opened. Excludes running and dead attempts. */
  nothingOpenedUntil: number;
}

export function openSession(options: ResolvedCaptureOptions) {
  return async (input: OpenSessionInput): Promise<OpenedSession> => {
    const configurationId = input.configurationId ?? options.configurationId;
    if (configurationId === undefined) throw withoutFlow(input.reference);
    // A take-over has everything too, because Incode may open a new session instead.
    const request = requestOf(input, configurationId);
    if (input.afterLostAnswer && isFirstAttempt()) emit(options.observe, { type: 'suspectedOrphan' });
    const opened = await (input.interviewId === undefined
      ? open(options, input, request)
      : takeOver(options, input, request));
    return {
      interviewId: opened.interviewId,
      sessionToken: opened.token,
      issuedByIncode: true,
      ...(options.rateLimitPerEndpoint ? { perEndpoint: true } : {}),
      ...openedInstead(input, opened),
    };
  };
}

function requestOf(
  { reference, externalCustomerId = reference, countryCode, customFields, interviewId }: OpenSessionInput,
  configurationId: string,
): StartRequest {
  return { configurationId, externalCustomerId, ...omitUndefined({ countryCode, customFields, interviewId }) };
}

/** `POST /omni/start` has no idempotency key. So it is sent again only if every earlier request certainly opened no session. */
async function open(
  options: ResolvedCaptureOptions,
  { reference }: OpenSessionInput,
  request: StartRequest,
): Promise<StartResponse> {
  const { attempt } = activityInfo();
  if (!isFirstAttempt() && lastRecord().nothingOpenedUntil !== attempt - 1) {
    throw maybeOpened(reference, 'An earlier attempt has ended without saying what it sent.');
  }
  // Whether a session was opened is unknown until this attempt ends.
  const unknownYet = (): OpenRecord => ({ nothingOpenedUntil: 0 });
  const lease = new Lease('start');
  try {
    return await callIncode(
      (signal) =>
        sendWhileLeased(lease, unknownYet, 'start', (mayStillSend) =>
          start(options.capture, request, { signal, mayStillSend }),
        ),
      unknownYet,
    );
  } catch (error) {
    if (!mayHaveTakenEffect(error)) heartbeat({ nothingOpenedUntil: attempt } satisfies OpenRecord);
    throw openFailure(error, options, reference);
  }
}

/**
 * Retried after every lost answer. Incode is expected to issue another token for the same session. If it opens another session instead, the
 * result says how many requests may have done so.
 */
async function takeOver(
  options: ResolvedCaptureOptions,
  { reference }: OpenSessionInput,
  request: StartRequest,
): Promise<StartResponse> {
  try {
    return await callIncode((signal) => start(options.capture, request, { signal }));
  } catch (error) {
    throw captureFailure(error, options, { interviewId: '', reference });
  }
}

/** The request has no session token, so a 401 is about the API key. */
async function start(
  capture: CaptureClient,
  request: StartRequest,
  options: Parameters<CaptureClient['start']>[1],
): Promise<StartResponse> {
  try {
    return await capture.start(request, options);
  } catch (error) {
    if (!(error instanceof IncodeError) || error.kind !== 'tokenRefused') throw error;
    const { operation, httpStatus, code } = error;
    throw new IncodeError({ kind: 'apiKeyRefused', operation, what: `answered ${httpStatus}`, httpStatus, code });
  }
}

/** An attempt that an operator has reset counts from 1 again. */
function openedInstead(
  { interviewId }: OpenSessionInput,
  opened: StartResponse,
): Pick<OpenedSession, 'earlierRequests'> {
  if (interviewId === undefined || opened.interviewId === interviewId || isFirstAttempt()) return {};
  return { earlierRequests: Math.max(1, activityInfo().attempt - 1) };
}

function lastRecord(): OpenRecord {
  const details = activityInfo().heartbeatDetails as Partial<OpenRecord> | undefined;
  // Attempts count from 1, so 0 means no earlier attempt.
  return { nothingOpenedUntil: details?.nothingOpenedUntil || -1 };
}

function withoutFlow(reference: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `Person ${reference}: configurationId is missing, and the worker has no default. Nothing was sent to Incode. Give the person a ` +
      'configurationId, or set INCODE_CONFIGURATION_ID on every worker.',
    FAILURES.invalidInput,
    { field: 'configurationId' },
  );
}
