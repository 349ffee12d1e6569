import { type IncodeClientOptions, isSendable } from './options.js';

interface ApiKey {
  /** The key to send now; `undefined` if there is none that fits in a header. */
  current(): string | undefined;
  /** Whether another key has replaced the one that Incode refused. The call can then be retried without an operator. */
  isReplaced(refused: string): boolean;
}

export function apiKeyOf(option: IncodeClientOptions['apiKey']): ApiKey {
  function read(refused?: string): string | undefined {
    if (typeof option === 'string') return option;
    try {
      const key = option(refused);
      return isSendable(key) ? key : undefined;
    } catch {
      // The error is dropped: its message may contain the key, and the client throws only IncodeError.
      return undefined;
    }
  }
  return {
    current: () => read(),
    isReplaced: (refused) => ![undefined, refused].includes(read(refused)),
  };
}
