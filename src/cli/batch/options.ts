import type { VerifyFirst } from '../../contract/index.js';
import type { TemporalOptions } from '../shared/options.js';
import type { Format } from './list-rows.js';

/** The options of every command that runs a list, as commander parses them. */
export interface ListCommandOptions extends TemporalOptions {
  format?: Format;
  out?: string;
  outFormat?: Format;
  raw: boolean;
  batchId?: string;
  resume: boolean;
  retryFailed: boolean;
  skipInvalid: boolean;
  dryRun: boolean;
  window?: number;
  status: boolean;
  stop: boolean;
  /** Of lists of people. */
  cancelBegun?: boolean;
  pause: boolean;
  unpause: boolean;
  json: boolean;
}

/** The options of `batch`. */
export interface BatchCommandOptions extends ListCommandOptions {
  verifyFirst?: VerifyFirst;
  close: boolean;
  score: boolean;
  scoreDeadline?: string;
}
