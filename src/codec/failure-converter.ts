import { DefaultFailureConverter } from '@temporalio/common';

class EncodingFailureConverter extends DefaultFailureConverter {
  /**
   * A copy: the SDK writes the encoded message into the failure that an error was made from. An error that is converted twice, for
   * an update and for its workflow, would read "Encoded failure" the second time.
   */
  override errorToFailureInner(...args: Parameters<DefaultFailureConverter['errorToFailureInner']>) {
    return { ...super.errorToFailureInner(...args) };
  }
}

/** Messages and stack traces of failures are encrypted too: they would stand beside the payloads in clear text. */
export const failureConverter: DefaultFailureConverter = new EncodingFailureConverter({ encodeCommonAttributes: true });
