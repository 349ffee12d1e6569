import type { Logger, LogMetadata, LogLevel as SdkLevel } from '@temporalio/common';
import { LOG_LEVELS, type LogLevel } from './config.js';

/** JSON lines on stderr, for a process of ours: stdout belongs to results. */
export function createLogger(level: LogLevel): Logger {
  // A log that nobody reads any more is no reason to end.
  process.stderr.on('error', () => undefined);
  const least = LOG_LEVELS.indexOf(level);
  const write = (sdkLevel: SdkLevel, message: string, meta: LogMetadata = {}) => {
    const written = LEVELS[sdkLevel];
    if (LOG_LEVELS.indexOf(written) < least) return;
    // The SDK's own time stamp says the same as ours.
    const { timestampNanos: _, error, ...rest } = meta;
    const facts = error === undefined ? rest : { ...rest, err: error };
    const line = { level: written, time: new Date().toISOString(), ...facts, msg: message };
    // Of a pipe or a file: when it returns, the line is written, also if the process is killed next.
    process.stderr.write(`${json(line)}\n`);
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

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const satisfies Record<
  SdkLevel,
  LogLevel
>;

function json(line: Record<string, unknown>): string {
  try {
    return JSON.stringify(line, plain);
  } catch {
    // What goes round in circles: a line that says less beats none, and a log must not make its caller fail.
    const { level, time, msg } = line;
    return JSON.stringify({ level, time, msg });
  }
}

/** An error's fields are left out but for these: the SDK's carry payloads, which may be a customer's. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
