const REDACTED = '[redacted]';

/** Shorter texts are not secrets, and would match parts of words. */
const MIN_LENGTH = 8;

/** All secrets of this process, including replaced ones, which may still appear in messages. */
const knownSecrets = new Set<string>();
/** Matches nothing until the first secret is known. */
let knownPattern = /(?!)/g;

/** Remembers a secret, so that it is redacted in every log line and message. @returns the secret */
export function keepSecret(secret: string): string {
  if (secret.length < MIN_LENGTH || knownSecrets.has(secret)) return secret;
  knownSecrets.add(secret);
  // Plain, in JSON and in a URL. The longest comes first, because one secret may begin like another.
  const forms = [...knownSecrets].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
  ]);
  const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length);
  knownPattern = new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return secret;
}

/** Redacts only the secrets that this process knows. For answers to a user, who asked for everything else in them. */
export function withoutKnownSecrets(text: string): string {
  return text.replace(knownPattern, REDACTED);
}

/** Redacts known secrets and everything that looks like one. For messages and for log lines, which stay valid JSON. */
export function redacted(text: string): string {
  return withoutTokens(withoutKnownSecrets(text))
    .replace(CREDENTIALS, `$1 ${REDACTED}`)
    .replace(NAMED, `$1${REDACTED}`)
    .replace(URL_PARTS, (_, scheme, login = '', path, query = '') => {
      return `${scheme}${login && `${REDACTED}@`}${path}${query && `?${REDACTED}`}`;
    });
}

/** Incode's session tokens and the receiver's own tokens are JWTs. */
function withoutTokens(text: string): string {
  return text.includes(JWT_START) ? text.replace(DOTTED_WORD, withoutToken) : text;
}

/** How a JSON object begins in base64url. */
const JWT_START = 'eyJ';

/**
 * Finds whole words, which do not overlap, so the time is linear. A pattern for the token itself would be tried at every possible start
 * in a word, which takes quadratic time.
 */
const DOTTED_WORD = /[\w-]+(?:\.[\w-]+)*/g;

const MIN_PART = 8;

function withoutToken(word: string): string {
  const parts = word.split('.');
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const start = part.indexOf(JWT_START);
    const next = parts[index + 1] ?? '';
    const isHeader = start >= 0 && part.length - start >= JWT_START.length + MIN_PART;
    if (isHeader && next.length >= MIN_PART) return word.slice(0, at + start) + REDACTED;
    at += part.length + 1;
  }
  return word;
}

const CREDENTIALS = /\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi;

/** `x-api-key: …`, `"apiKey":"…"`, `sessionToken: '…'`. A quoted name with an unquoted value is not redacted. */
const NAMED =
  /((?:session[-_]?token|access[-_]?token|api[-_]?key|hardware-id|client[-_]?secret|password)(?:\\?["']\s*[:=]\s*\\?["']|\s*[:=]\s*["']?))(?!\[redacted)[^\s"'\\,;(){}[\]]+/gi;

/** A URL's login, query and fragment. Redirection URLs may contain people's names. */
const URL_PARTS = /\b(https?:\/\/)([^\s"'<>\\/@?#]+@)?([^\s"'<>\\?#]*)([?#][^\s"'<>\\]*)?/gi;

/** Redacts the fields of a log line whose names are those of secrets. */
export function redactedFields<T>(fields: T, depth = 6): T {
  if (typeof fields !== 'object' || fields === null || depth === 0) return fields;
  if (Array.isArray(fields)) return fields.map((item) => redactedFields(item, depth - 1)) as T;
  // Instances of classes are left to their own serializers.
  if (![Object.prototype, null].includes(Object.getPrototypeOf(fields))) return fields;
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    SECRET_NAMES.test(name) && value != null ? REDACTED : redactedFields(value, depth - 1),
  ]);
  return Object.fromEntries(entries);
}

const SECRET_NAMES =
  /^((session|access|refresh)?[-_]?token|(x[-_])?api[-_]?key|x-incode-hardware-id|(proxy-)?authorization|(client)?[-_]?secrets?|password|(set-)?cookie|encryption[-_]?keys?)$/i;
