import type { Client } from '@temporalio/client';
import { FAILURES, type FinishAnswer } from '../../contract/index.js';
import type { ItemShape } from './shards.js';

/** What rows of all kinds have. */
export interface ItemRow {
  outcome?: string;
  failure?: { type: string; message: string };
  /** Of a session. */
  finish?: FinishAnswer;
}

/** Whether an item has no outcome because somebody stopped the batch. */
export function isStopped({ failure }: ItemRow): boolean {
  return failure?.type === FAILURES.batchStopped;
}

/** What a shard is started after. */
export interface StartedAfter<Row> {
  /** Rows of a run that has completed. Items without a row run again. */
  earlier?: (Row | null)[];
  /** A run that left no rows may have begun the items. */
  mayHaveBegun?: true;
}

export interface HeldUp {
  /** Why calls are being retried and whom items wait for, as readable text; `null` if neither. */
  reason: string | null;
  /** Items that wait for somebody, so that nobody can tell when they end. */
  waiting: number;
}

/** What differs between a batch of sessions and a batch of people. */
export interface BatchKind<Item, Row extends ItemRow, Result> {
  /** In fields of errors, such as `sessions[3]`, and in the memo of a shard. */
  noun: 'sessions' | 'people';
  /** A single item, in messages. */
  subject: 'Session' | 'Person';
  workflowType: string;
  workflowId(batchId: string, shard: number): string;
  /** Normalized, so that equivalent plans are equal: `15 minutes` and `15m`, or no plan and the defaults. */
  planText: string;
  /** @returns how the list of one run is checked and cut */
  shape(): ItemShape<Item>;
  /** @returns the workflow's input, without batch id and number of the shard */
  inputOf(items: Item[], after: StartedAfter<Row>): object | Promise<object>;
  resultOf(index: number, id: string, row: Row): Result;
  /**
   * Called for a shard that the server has already.
   *
   * @returns what to report instead of the row at a position, because items may have changed since
   */
  comparison?(items: Item[]): Promise<(at: number, row: Row) => Row>;
  /** @returns what delays items although their shard does not know it */
  heldUp?(client: Client, batchId: string): Promise<HeldUp>;
}
