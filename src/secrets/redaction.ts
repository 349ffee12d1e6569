const REDACTED = '[redacted]';

/** Shorter ones are no secrets, and would be found in words. */
const MIN_LENGTH = 8;

/** Of this process, those that were exchanged included: they may still stand in a message. */
const known = new Set<string>();
/** Until there is one, it finds nothing. */
let knownPattern = /(?!)/g;

/** Remembers a secret, so that it is found wherever it turns up. @returns the secret */
export function keepSecret(secret: string): string {
  if (secret.length < MIN_LENGTH || known.has(secret)) return secret;
  known.add(secret);
  // As it stands in JSON and in a URL too; the longest first, because one may begin like another.
  const forms = [...known].flatMap((text) => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)]);
  const sorted = [...new Set(forms)].sort((a, b) => b.length - a.length);
  knownPattern = new RegExp(sorted.map((text) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return secret;
}

/** Without the secrets that this process knows. For answers, of which everything else was asked for. */
export function withoutKnownSecrets(text: string): string {
  return text.replace(knownPattern, REDACTED);
}

/** Without anything that is, or looks like, a secret. For log lines, which stay JSON, and for messages to people. */
export function redacted(text: string): string {
  return withoutTokens(withoutKnownSecrets(text))
    .replace(CREDENTIALS, `$1 ${REDACTED}`)
    .replace(NAMED, `$1${REDACTED}`)
    .replace(URL_PARTS, (_, scheme, login = '', path, query = '') => {
      return `${scheme}${login && `${REDACTED}@`}${path}${query && `?${REDACTED}`}`;
    });
}

/** Session tokens of Incode, and the receiver's own: JWTs. */
function withoutTokens(text: string): string {
  return text.includes(JWT_START) ? text.replace(DOTTED_WORD, withoutToken) : text;
}

/** A JSON object in base64url begins like this. */
const JWT_START = 'eyJ';

/**
 * A pattern for the token itself would be tried at each possible start, and read to the end of the word from each: its time grows
 * with the square of the word's length. Words do not overlap.
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

/** `x-api-key: …`, `"apiKey":"…"`, `sessionToken: '…'`. Quoted names with values that are not are no text. */
const NAMED =
  /((?:session[-_]?token|access[-_]?token|api[-_]?key|hardware-id|client[-_]?secret|password)(?:\\?["']\s*[:=]\s*\\?["']|\s*[:=]\s*["']?))(?!\[redacted)[^\s"'\\,;(){}[\]]+/gi;

/** What stands behind "?" and "#", and before "@". Names of persons stand in redirection URLs. */
const URL_PARTS = /\b(https?:\/\/)([^\s"'<>\\/@?#]+@)?([^\s"'<>\\?#]*)([?#][^\s"'<>\\]*)?/gi;

/** A log line's fields, without the values of those whose names say that they are secret. */
export function redactedFields<T>(fields: T, depth = 6): T {
  if (typeof fields !== 'object' || fields === null || depth === 0) return fields;
  if (Array.isArray(fields)) return fields.map((item) => redactedFields(item, depth - 1)) as T;
  // An object with a class is written as its class or a serializer says.
  if (![Object.prototype, null].includes(Object.getPrototypeOf(fields))) return fields;
  const entries = Object.entries(fields).map(([name, value]) => [
    name,
    SECRET_NAMES.test(name) && value != null ? REDACTED : redactedFields(value, depth - 1),
  ]);
  return Object.fromEntries(entries);
}

const SECRET_NAMES =
  /^((session|access|refresh)?[-_]?token|(x[-_])?api[-_]?key|x-incode-hardware-id|(proxy-)?authorization|(client)?[-_]?secrets?|password|(set-)?cookie|encryption[-_]?keys?)$/i;
