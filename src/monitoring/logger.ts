import type { Logger, LogMetadata, LogLevel as SdkLevel } from '@temporalio/worker';
import { type DestinationStream, pino } from 'pino';
import type { LogLevel } from '../config/index.js';
import { MAX_CAUSES } from '../secrets/error-chain.js';
import { redacted, redactedFields, withoutKnownSecrets } from '../secrets/index.js';

/**
 * JSON lines on stderr, for processes of ours: stdout belongs to results. The SDK's lines go through it too. No line shows a secret.
 *
 * @param destination where they go instead
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
      // The whole line, because a secret may stand in any text: an error's message, its stack, what the SDK says.
      hooks: { streamWrite: (line) => redacted(shortened(line)) },
    },
    destination,
  );
  const write = (sdkLevel: SdkLevel, message: string, meta: LogMetadata = {}) => {
    // The SDK's own time stamp is a bigint, which JSON has not, and says the same as ours.
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

/** A stack with eight causes is far below; a log collector takes lines of 16 KiB to 1 MiB. */
const MAX_CHARACTERS = 32_768;

/** A line that is too long becomes one that quotes its beginning, so that it stays JSON. */
function shortened(line: string): string {
  if (line.length <= MAX_CHARACTERS) return line;
  // Known secrets first: one that is cut in two would not be recognized. Tokens are single words, and the last word is dropped.
  const known = withoutKnownSecrets(line);
  let end = Math.min(known.length, MAX_CHARACTERS);
  while (end > 0 && !/[\s"']/.test(known.charAt(end - 1))) end -= 1;
  const [head = '{'] = /^\{"level":"\w+","time":"[^"]*",/.exec(line) ?? [];
  return `${head}"cutFrom":${line.length},"msg":${JSON.stringify(known.slice(0, end))}}\n`;
}

/** Without what else it carries: a library's error may have a request with its token. */
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
