export { type SecretFile, secretFile, wrongSecretFiles } from './file.js';
export { HIDDEN, redactWhenPrinted } from './printing.js';
export { keepSecret, redacted, redactedFields, withoutKnownSecrets } from './redaction.js';
