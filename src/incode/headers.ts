import { omitUndefined } from '../contract/omit-undefined.js';

/** Incode's documentation requires all four on every call, including `content-type` on GET. */
export const REQUIRED_HEADERS = ['x-api-key', 'x-incode-hardware-id', 'api-version', 'content-type'] as const;

export type RequiredHeader = (typeof REQUIRED_HEADERS)[number];

export function headersOf(apiKey: string, sessionToken: string | undefined): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    // The client does not decompress answers.
    'accept-encoding': 'identity',
    'api-version': '1.0',
    'x-api-key': apiKey,
    ...omitUndefined({ 'x-incode-hardware-id': sessionToken }),
  };
}
