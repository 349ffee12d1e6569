import { type IncodeClientOptions, isSendable } from './options.js';

export interface ApiKey {
  /** The key of now; `undefined` if there is none that can be sent. */
  now(): string | undefined;
  /** Whether there is another one than Incode has refused, so that nobody has to wait for somebody to mend it. */
  isExchanged(refused: string): boolean;
}

export function apiKeyOf(given: IncodeClientOptions['apiKey']): ApiKey {
  function ask(refused?: string): string | undefined {
    if (typeof given === 'string') return given;
    try {
      const key = given(refused);
      return isSendable(key) ? key : undefined;
    } catch {
      // The client throws nothing but an IncodeError, and somebody else's message may have the key in it.
      return undefined;
    }
  }
  return {
    now: () => ask(),
    isExchanged: (refused) => ![undefined, refused].includes(ask(refused)),
  };
}
