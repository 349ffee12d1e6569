import { createHash } from 'node:crypto';
import { SeenIds } from '../../client/batch/seen-ids.js';
import { tokenExpiry } from '../../client/input.js';
import type { BatchSession } from '../../contract/index.js';
import { type Format, type Row, readRows } from './rows.js';
import type { Source } from './source.js';

export interface CheckedList {
  sessions: number;
  /** Rows that are no sessions, or have the id of an earlier one. */
  invalid: number;
  /** Tokens whose own time has run out. */
  expired: { count: number; firstLine: number };
  /** Follows from the interview ids in their order, so the same list is the same batch, whatever its file is called. */
  batchId: string;
  /** Reads the list again, without the rows that are invalid. */
  read(): AsyncGenerator<BatchSession>;
}

/** Reads the whole list, and says of each invalid row what is wrong with it. Keeps a few bytes of each. */
export async function checkList(
  source: Source,
  format: Format,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<CheckedList> {
  const seen = new SeenIds();
  const hash = createHash('sha256');
  const expired = { count: 0, firstLine: 0 };
  let [sessions, invalid] = [0, 0];
  const onIgnored = (names: string[]) => say(`Not read: ${names.map((name) => JSON.stringify(name)).join(', ')}`);
  for await (const row of readRows(source, format, onIgnored)) {
    signal.throwIfAborted();
    const problem = problemOf(row, seen);
    if (problem !== undefined || !row.session) {
      invalid += 1;
      say(`Line ${row.line}: ${problem}`);
      continue;
    }
    const { interviewId, sessionToken } = row.session;
    sessions += 1;
    hash.update(`${interviewId}\n`);
    if (sessionToken && isExpired(sessionToken)) {
      expired.count += 1;
      expired.firstLine ||= row.line;
    }
  }
  const batchId = `list-${hash.digest('hex').slice(0, 16)}`;
  return { sessions, invalid, expired, batchId, read: () => validSessions(source, format, seen) };
}

async function* validSessions(source: Source, format: Format, seen: SeenIds): AsyncGenerator<BatchSession> {
  for await (const row of readRows(source, format, () => undefined)) {
    if (row.session && problemOf(row, seen) === undefined) yield row.session;
  }
  await source.checkUnchanged();
}

/** @param seen with their lines; the first one with an id is the one that counts */
function problemOf({ line, session, problem }: Row, seen: SeenIds): string | undefined {
  if (!session) return problem;
  const first = seen.see(session.interviewId, line);
  return first === line ? undefined : `interviewId ${session.interviewId} is the same as on line ${first}`;
}

function isExpired(sessionToken: string): boolean {
  const expiry = tokenExpiry(sessionToken);
  return expiry !== undefined && expiry * 1_000 <= Date.now();
}
