import type { Readable } from 'node:stream';
import type { BatchResult } from '../client/batch/results.js';
import type { BatchSession } from '../contract/index.js';

export const LIST_FORMATS = ['csv', 'ndjson'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

/** A list that was received whole and checked. */
export interface ReceivedList {
  sessions: number;
  /** Derived from the interview ids in order, so the same list is the same batch. */
  batchId: string;
  /** What is wrong with single rows, with their lines. Limited. */
  problems: readonly string[];
  /** Whether the problems allow to start nothing of the list. */
  isRefused: boolean;
  read(): AsyncIterable<BatchSession>;
  close(): Promise<void>;
}

/** How lists are read and written. The command brings what it uses for its own files. */
export interface ListTools {
  /**
   * Stores a list in a private temporary file and checks all of it.
   *
   * @throws InvalidInputError if it cannot be read as a list
   */
  receive(input: Readable, format: ListFormat, signal: AbortSignal): Promise<ReceivedList>;
  /** @returns a function that writes items as CSV, with a header before the first */
  csv(of: 'sessions' | 'people'): (items: BatchResult[]) => string;
}
