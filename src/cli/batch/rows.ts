import { type BatchSession, checkBatchSession } from '../../contract/index.js';
import { type Format, plainName, readList, type Shape } from './list-rows.js';
import type { Source } from './source.js';

/** A row of a list of sessions: a session, or why it is invalid. */
export type Row = { line: number } & (
  | { session: BatchSession; problem?: never }
  | { session?: never; problem: string }
);

const FIELDS: Record<string, keyof BatchSession> = {
  interviewid: 'interviewId',
  sessiontoken: 'sessionToken',
  flowid: 'flowId',
};

const SESSIONS: Shape<BatchSession> = {
  required: 'interviewId',
  fieldOf(name) {
    const plain = plainName(name);
    return Object.hasOwn(FIELDS, plain) ? FIELDS[plain] : undefined;
  },
  check: (fields) => checkBatchSession(fields),
};

/**
 * @param onIgnored called with the names of ignored columns or fields, before the first row that has them
 * @throws CliError if the list cannot be read at all
 */
export async function* readRows(
  source: Source,
  format: Format,
  onIgnored: (names: string[]) => void,
): AsyncGenerator<Row> {
  for await (const { line, value, problem } of readList(source, format, SESSIONS, onIgnored)) {
    yield value ? { line, session: value } : { line, problem: problem as string };
  }
}
