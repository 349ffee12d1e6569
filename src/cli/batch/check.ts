import { createHash } from 'node:crypto';
import { SeenIds } from '../../client/batch/seen-ids.js';
import { tokenExpiry } from '../../client/input.js';
import type { BatchSession } from '../../contract/index.js';
import { checkTokenFits } from '../../contract/token-claims.js';
import { inputProblem } from '../shared/exit.js';
import { type Format, ignoredNotice } from './list-rows.js';
import { type Row, readRows } from './rows.js';
import type { Source } from './source.js';

export interface CheckedList {
  sessions: number;
  /** Rows that are not valid sessions, repeat an earlier id, or have a token that names another session. */
  invalid: number;
  /** Rows that repeat the token of an earlier row. */
  sharedTokens: number;
  /** Sessions whose token must come from the worker's token source. */
  withoutToken: number;
  /** Expired tokens. */
  expired: { count: number; firstLine: number };
  /** Derived from the interview ids in order, so the same list is the same batch under any file name. */
  batchId: string;
  /** Reads the list again, without invalid rows. */
  read(): AsyncGenerator<BatchSession>;
}

/** Reads the whole list and reports the problem of each invalid row. Keeps a few bytes per row in memory. */
export async function checkList(
  source: Source,
  format: Format,
  signal: AbortSignal,
  printNotice: (line: string) => void,
): Promise<CheckedList> {
  const seen = { ids: new SeenIds(), tokens: new SeenIds() };
  const hash = createHash('sha256');
  const expired = { count: 0, firstLine: 0 };
  let [sessions, invalid, sharedTokens, withoutToken] = [0, 0, 0, 0];
  const onIgnored = (names: string[]) => printNotice(ignoredNotice(names));
  for await (const row of readRows(source, format, onIgnored)) {
    signal.throwIfAborted();
    const problem = problemOf(row, seen.ids);
    if (problem !== undefined || !row.session) {
      invalid += 1;
      printNotice(`Line ${row.line}: ${problem}`);
      continue;
    }
    const { interviewId, sessionToken } = row.session;
    const first = sessionToken === undefined ? row.line : seen.tokens.see(sessionToken, row.line);
    if (first !== row.line) {
      sharedTokens += 1;
      printNotice(`Line ${row.line}: sessionToken is the same as on line ${first}, which has another interviewId`);
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

/** @param ids each id with the first line that has it; later lines with the same id are invalid */
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
