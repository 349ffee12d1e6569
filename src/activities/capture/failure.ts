import { activityInfo, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURES, type ImageSide } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { ImageError } from '../../images/errors.js';
import { IncodeError, mayHaveTakenEffect } from '../../incode/index.js';
import { passedMs } from '../call.js';
import { activityFailure, cancelledByCaller, type FailureContext } from '../failure.js';
import { emit } from '../observe.js';
import type { ResolvedCaptureOptions } from './options.js';
import type { CaptureFailureDetails } from './types.js';

type Options = Pick<ResolvedCaptureOptions, 'operatorRetryMs' | 'observe' | 'truncatedForMs'>;

export interface CaptureContext extends Pick<FailureContext, 'interviewId' | 'reference' | 'leastDelayMs'> {
  /** Side of the image that the activity uses. */
  image?: ImageSide;
}

/** Does the same as `activityFailure`, and also converts errors of images. @returns the error that the activity must throw */
export function captureFailure(error: unknown, options: Options, context: CaptureContext): unknown {
  if (error instanceof ImageError) return imageFailure(error, options, context);
  if (error instanceof CancelledFailure && !cancelledByCaller()) {
    return ApplicationFailure.retryable(`${subjectOf(context)}: the worker shuts down`, FAILURES.notTaken);
  }
  const { operatorRetryMs, observe } = options;
  return activityFailure(error, { ...context, operatorRetryMs, observe });
}

function imageFailure(error: ImageError, options: Options, context: CaptureContext): ApplicationFailure {
  const { interviewId, reference, image } = context;
  const { problem, retry } = error;
  const isFinal = retry === 'never' || (problem === 'truncated' && passedMs() >= options.truncatedForMs);
  const details: CaptureFailureDetails = {
    interviewId,
    ...(reference === undefined ? {} : { reference }),
    operation: activityInfo().activityType,
    ...omitUndefined({ image }),
    problem,
  };
  if (!isFinal) emit(options.observe, { type: 'imageNotReady', problem });
  if (retry === 'afterFix') {
    log.error('An image cannot be read until somebody corrects permissions, credentials or the configuration.', {
      image,
      problem,
    });
  }
  return ApplicationFailure.create({
    type: isFinal ? FAILURES.imageUnusable : FAILURES.imageNotReady,
    message: [subjectOf(context), image, `${error.message}${whereAllowed(error)}`].filter(Boolean).join(': '),
    nonRetryable: isFinal,
    details: [details],
    ...(retry === 'afterFix' ? { nextRetryDelay: options.operatorRetryMs } : {}),
  });
}

/** Names the worker's variable: the image may exist on the caller's machine, or its place may be allowed on other workers only. */
function whereAllowed({ message, problem, reason }: ImageError): string {
  const isPlace = problem === 'missing' || problem === 'notAllowed' || problem === 'noPlace';
  if (isPlace && message.startsWith('The image file:')) return ' (the worker looks below its INCODE_IMAGE_ROOTS)';
  const [, list] = /list of image (hosts|buckets)$/.exec(reason) ?? [];
  return list === undefined ? '' : ` (INCODE_IMAGE_${list.toUpperCase()} of the worker)`;
}

/**
 * Converts the error of a `start`. If the request may have opened a session, the failure is not retryable, because every retry could leave
 * another session behind.
 */
export function openFailure(error: unknown, options: Options, reference: string): unknown {
  if (!(error instanceof IncodeError) || !mayHaveTakenEffect(error) || cancelledByCaller()) {
    return captureFailure(error, options, { interviewId: '', reference });
  }
  const { httpStatus, code } = error;
  return maybeOpened(reference, error.message, omitUndefined({ httpStatus, code }));
}

export function maybeOpened(
  reference: string,
  why: string,
  facts: Pick<CaptureFailureDetails, 'httpStatus' | 'code'> = {},
): ApplicationFailure {
  const details: CaptureFailureDetails = { interviewId: '', reference, operation: 'start', ...facts };
  return ApplicationFailure.nonRetryable(
    `Person ${reference}: Incode may have opened a session. ${why}`,
    FAILURES.maybeOpened,
    details,
  );
}

function subjectOf({ interviewId, reference }: CaptureContext): string {
  return reference === undefined ? `Session ${interviewId}` : `Person ${reference}`;
}
