import { createHash } from 'node:crypto';
import { SeenIds } from '../../client/batch/seen-ids.js';
import { tokenExpiry } from '../../client/input.js';
import { type BatchSession, checkTokenFits } from '../../contract/index.js';
import { inputProblem } from '../shared/exit.js';
import { type Format, type Row, readRows } from './rows.js';
import type { Source } from './source.js';

export interface CheckedList {
  sessions: number;
  /** Rows that are no sessions, have the id of an earlier one, or the token of a session that the token names. */
  invalid: number;
  /** Rows with the token of an earlier one. */
  sharedTokens: number;
  /** Sessions for which the worker has to ask its token source. */
  withoutToken: number;
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
  const seen = { ids: new SeenIds(), tokens: new SeenIds() };
  const hash = createHash('sha256');
  const expired = { count: 0, firstLine: 0 };
  let [sessions, invalid, sharedTokens, withoutToken] = [0, 0, 0, 0];
  const onIgnored = (names: string[]) => say(`Not read: ${names.map((name) => JSON.stringify(name)).join(', ')}`);
  for await (const row of readRows(source, format, onIgnored)) {
    signal.throwIfAborted();
    const problem = problemOf(row, seen.ids);
    if (problem !== undefined || !row.session) {
      invalid += 1;
      say(`Line ${row.line}: ${problem}`);
      continue;
    }
    const { interviewId, sessionToken } = row.session;
    const first = sessionToken === undefined ? row.line : seen.tokens.see(sessionToken, row.line);
    if (first !== row.line) {
      sharedTokens += 1;
      say(`Line ${row.line}: sessionToken is the same as on line ${first}, whose interviewId is another one`);
      continue;
    }
    sessions += 1;
    if (sessionToken === undefined) withoutToken += 1;
    hash.update(`${interviewId}\n`);
    if (sessionToken && isExpired(sessionToken)) {
      expired.count += 1;
      expired.firstLine ||= row.line;
    }
  }
  const batchId = `list-${hash.digest('hex').slice(0, 16)}`;
  const read = () => validSessions(source, format, seen.ids);
  return { sessions, invalid, sharedTokens, withoutToken, expired, batchId, read };
}

async function* validSessions(source: Source, format: Format, ids: SeenIds): AsyncGenerator<BatchSession> {
  for await (const row of readRows(source, format, () => undefined)) {
    if (row.session && problemOf(row, ids) === undefined) yield row.session;
  }
  await source.checkUnchanged();
}

/** @param ids with their lines; the first one with an id is the one that counts */
function problemOf({ line, session, problem }: Row, ids: SeenIds): string | undefined {
  if (!session) return problem;
  const { interviewId, sessionToken } = session;
  const first = ids.see(interviewId, line);
  if (first !== line) return `interviewId ${interviewId} is the same as on line ${first}`;
  try {
    if (sessionToken !== undefined) checkTokenFits(interviewId, sessionToken);
    return undefined;
  } catch (error) {
    return inputProblem(error);
  }
}

function isExpired(sessionToken: string): boolean {
  const expiry = tokenExpiry(sessionToken);
  return expiry !== undefined && expiry * 1_000 <= Date.now();
}
