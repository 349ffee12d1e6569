/** Incode's documentation asks for all four on every call, `content-type` on GET too. */
export const REQUIRED_HEADERS = ['x-api-key', 'x-incode-hardware-id', 'api-version', 'content-type'] as const;

export type RequiredHeader = (typeof REQUIRED_HEADERS)[number];

export function headersOf(apiKey: string, sessionToken: string | undefined): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    // Nothing here unpacks an answer.
    'accept-encoding': 'identity',
    'api-version': '1.0',
    'x-api-key': apiKey,
    ...(sessionToken === undefined ? {} : { 'x-incode-hardware-id': sessionToken }),
  };
}
