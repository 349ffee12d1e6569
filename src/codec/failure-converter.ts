import { DefaultFailureConverter } from '@temporalio/common';

/** Messages and stack traces of failures are encrypted too: they would stand beside the payloads in clear text. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
