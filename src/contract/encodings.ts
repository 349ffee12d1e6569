/** Encoding of payloads that our codec has encrypted, as in Temporal's samples. */
export const ENCRYPTED = 'binary/encrypted';

/** What a worker that requires encryption makes of a payload in clear text, before its workflow sees it. */
export const REFUSED_PLAINTEXT = 'refused/plaintext';
