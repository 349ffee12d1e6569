export { type SecretFile, secretFile, wrongSecretFiles } from './file.js';
export { isLoopback, isPlainHttp } from './loopback.js';
export { HIDDEN, redactWhenPrinted } from './printing.js';
export { keepSecret, redacted, redactedFields, withoutKnownSecrets } from './redaction.js';
