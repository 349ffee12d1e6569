import type { Logger, LogMetadata, LogLevel as SdkLevel } from '@temporalio/worker';
import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from '../config/index.js';
import { MAX_CAUSES } from '../secrets/error-chain.js';
import { redacted, redactedFields, withoutKnownSecrets } from '../secrets/index.js';

/**
 * Logs JSON lines to stderr and redacts secrets in each. The SDK logs through it too. stdout is reserved for results.
 *
 * @param destination where to write instead of stderr
 */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const target = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => plainError(error) },
      // Redacts the whole line, because any text may contain a secret: an error's message, its stack, the SDK's lines.
      hooks: { streamWrite: (line) => redacted(shortened(line)) },
    },
    destination,
  );
  const write = (sdkLevel: SdkLevel, message: string, meta: LogMetadata = {}) => {
    // The SDK's own timestamp is a bigint, which JSON does not support, and repeats ours.
    const { timestampNanos: _, error, ...rest } = meta;
    target[LEVELS[sdkLevel]]({ ...redactedFields(rest), ...(error === undefined ? {} : { err: error }) }, message);
  };
  return {
    log: write,
    trace: (message, meta) => write('TRACE', message, meta),
    debug: (message, meta) => write('DEBUG', message, meta),
    info: (message, meta) => write('INFO', message, meta),
    warn: (message, meta) => write('WARN', message, meta),
    error: (message, meta) => write('ERROR', message, meta),
  };
}

/** Log collectors accept lines of 16 KiB to 1 MiB. A stack with eight causes is far shorter. */
const MAX_CHARACTERS = 32_768;

/** Replaces a line that is too long with one that quotes its beginning, so that it stays valid JSON. */
function shortened(line: string): string {
  if (line.length <= MAX_CHARACTERS) return line;
  // Redacts known secrets first, because a secret that is cut in two would not be recognized. The last word may be part of a token.
  const clean = withoutKnownSecrets(line);
  let end = Math.min(clean.length, MAX_CHARACTERS);
  while (end > 0 && !/[\s"']/.test(clean.charAt(end - 1))) end -= 1;
  const [head = '{'] = /^\{"level":"\w+","time":"[^"]*",/.exec(line) ?? [];
  return `${head}"cutFrom":${line.length},"msg":${JSON.stringify(clean.slice(0, end))}}\n`;
}

/** Keeps only these fields, because a library's error may contain a request with its token. */
function plainError(error: unknown, causesLeft = MAX_CAUSES): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const isShown = cause !== undefined && causesLeft > 0;
  return { type: name, message, stack, ...(isShown ? { cause: plainError(cause, causesLeft - 1) } : {}) };
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<
  SdkLevel,
  LogLevel
>;
