import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { InvalidInputError } from '../../contract/index.js';
import { withTemporalErrors } from '../temporal-failure.js';

type ListAnswer = Awaited<ReturnType<Client['workflowService']['listWorkflowExecutions']>>;

/** A workflow as Temporal lists it. */
export type RawExecution = ListAnswer['executions'][number];

export interface Page {
  items: RawExecution[];
  /** Continues after this page. `null` after the last one. */
  cursor: string | null;
}

/**
 * Lists one page of workflows, such as sessions, people or shards of batches.
 *
 * @param query of `queryFor`
 * @param cursor of the page before, for the same query
 * @throws InvalidInputError if the cursor is not of this query
 */
export async function listPage(
  client: Client,
  query: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page> {
  const { namespace } = client.options;
  const nextPageToken = cursor === undefined ? NO_TOKEN : tokenOf(cursor, query);
  const list = (pageSize: number, token: Uint8Array) =>
    withTemporalErrors(client, () =>
      client.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflowService.listWorkflowExecutions({ namespace, query, pageSize, nextPageToken: token }),
      ),
    );
  const answer = await list(limit, nextPageToken).catch(async (error: unknown) => {
    // Some stores refuse a forged cursor as if they were not available. If the list itself works, the cursor is wrong.
    if (cursor !== undefined) await list(1, NO_TOKEN).then(() => Promise.reject(wrongCursor()));
    throw error;
  });
  const next = Buffer.from(answer.nextPageToken ?? []);
  return { items: answer.executions, cursor: next.length > 0 ? cursorOf(next, query) : null };
}

const NO_TOKEN = new Uint8Array();

/** A page takes milliseconds. Temporal's client would retry a refused cursor for longer. */
const DEADLINE_MS = 10_000;

const FINGERPRINT_BYTES = 6;

/** The server would continue another list with the token, and skip sessions without a word. So the cursor names its list. */
export function cursorOf(token: Buffer, query: string): string {
  return Buffer.concat([fingerprint(query, token), token]).toString('base64url');
}

/** @throws InvalidInputError */
function tokenOf(cursor: string, query: string): Buffer {
  const bytes = Buffer.from(cursor, 'base64url');
  const [sum, token] = [bytes.subarray(0, FINGERPRINT_BYTES), bytes.subarray(FINGERPRINT_BYTES)];
  if (token.length === 0 || bytes.toString('base64url') !== cursor) throw wrongCursor();
  if (!sum.equals(fingerprint(query, token))) throw wrongCursor();
  return token;
}

function fingerprint(query: string, token: Buffer): Buffer {
  return createHash('sha256').update(query).update('\0').update(token).digest().subarray(0, FINGERPRINT_BYTES);
}

function wrongCursor(): InvalidInputError {
  return new InvalidInputError(
    'cursor',
    'is not a cursor of this list: pass the one of the page before, with the same filter',
  );
}
