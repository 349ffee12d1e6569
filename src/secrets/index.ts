export { type SecretFile, secretFile } from './file.js';
export { keepSecret, redacted, redactedFields, withoutKnownSecrets } from './redaction.js';
export { HIDDEN, shownAs } from './view.js';
