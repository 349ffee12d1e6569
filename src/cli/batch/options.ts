import type { VerifyFirst } from '../../contract/index.js';
import type { TemporalOptions } from '../shared/options.js';
import type { Format } from './list-rows.js';

/** The options of `batch`, as commander parses them. */
export interface BatchCommandOptions extends TemporalOptions {
  format?: Format;
  out?: string;
  outFormat?: Format;
  raw: boolean;
  batchId?: string;
  resume: boolean;
  retryFailed: boolean;
  verifyFirst?: VerifyFirst;
  skipInvalid: boolean;
  dryRun: boolean;
  close: boolean;
  score: boolean;
  scoreDeadline?: string;
  window?: number;
  status: boolean;
  stop: boolean;
  pause: boolean;
  unpause: boolean;
  json: boolean;
}
