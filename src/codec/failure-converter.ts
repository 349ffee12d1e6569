import { DefaultFailureConverter } from '@temporalio/common';

class EncodingFailureConverter extends DefaultFailureConverter {
  /**
   * Returns a copy. The SDK writes "Encoded failure" into the failure that an error was made from, and an error may be converted twice:
   * for an update and for its workflow.
   */
  override errorToFailureInner(...args: Parameters<DefaultFailureConverter['errorToFailureInner']>) {
    return { ...super.errorToFailureInner(...args) };
  }
}

/** Encrypts the messages and stack traces of failures too, which Temporal otherwise stores in clear text. */
export const failureConverter: DefaultFailureConverter = new EncodingFailureConverter({ encodeCommonAttributes: true });
