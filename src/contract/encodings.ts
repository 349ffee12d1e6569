/** Encoding of payloads that our codec encrypted. Temporal's samples use the same name. */
export const ENCRYPTED = 'binary/encrypted';

/** Encoding that a worker which requires encryption gives to a plaintext payload before the workflow sees it. */
export const REFUSED_PLAINTEXT = 'refused/plaintext';
