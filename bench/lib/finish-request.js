/** The call that everybody makes who is compared with us, for undici: as short as Incode lets it be. */
export function finishRequest(apiKey, { sessionToken }) {
  return {
    path: '/omni/finish-status',
    method: 'GET',
    headers: {
      'content-type': 'application/json',
      'api-version': '1.0',
      'x-api-key': apiKey,
      'x-incode-hardware-id': sessionToken,
    },
  };
}
