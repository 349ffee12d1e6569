import type { Command } from 'commander';
import { Option } from 'commander';
import { type CapturePlan, checkBatchId, InvalidInputError, resolveCapturePlan } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { ListCommandOptions } from '../batch/options.js';
import { CliError, inputProblem } from '../shared/exit.js';
import { type PlanOptions, planOf, withPlanOptions } from '../shared/plan-options.js';

/** The options of `capture`, as commander parses them. */
export interface CaptureCommandOptions extends ListCommandOptions, PlanOptions {
  pair?: string;
  images?: string;
  onRefusedImage?: NonNullable<CapturePlan['onRefusedImage']>;
  imageDeadline?: string;
  government?: true;
  watchlist?: true;
  purge?: 'images' | 'session';
  scores?: string;
  ocr?: string;
}

export function withPersonOptions(command: Command): Command {
  return withPlanOptions(command)
    .addOption(
      new Option(
        '--on-refused-image <what>',
        'what happens if Incode refuses an image (default: continue, and the score shows it)',
      ).choices(['continue', 'wait', 'fail']),
    )
    .option('--image-deadline <duration>', 'how long to wait for another image (default: 7 days)')
    .option('--government', "ask the government's registry; may be billed")
    .option('--watchlist', 'search watchlists')
    .addOption(
      new Option('--purge <what>', 'delete at Incode after the outcome is safe; nobody can restore it').choices([
        'images',
        'session',
      ]),
    )
    .option('--scores <file>', "file for Incode's verbose score of each person, as CSV or NDJSON")
    .option('--ocr <file>', 'file for what Incode has read from the IDs: personal data, in plain text');
}

/** @throws CliError for an invalid plan or batch id, before anything is read */
export function planOfPeople(options: CaptureCommandOptions): CapturePlan {
  const { onRefusedImage, imageDeadline, government, watchlist, purge, scores, ocr, batchId } = options;
  const plan = {
    ...planOf(options),
    ...omitUndefined({ onRefusedImage, imageDeadline, government, watchlist, purge }),
  };
  try {
    if (batchId !== undefined) checkBatchId(batchId);
    if (purge === 'session' && scores !== undefined) {
      throw new InvalidInputError('--scores', 'cannot be combined with --purge session, which deletes the score');
    }
    if (purge !== undefined && ocr !== undefined) {
      throw new InvalidInputError('--ocr', 'cannot be combined with --purge, which deletes the OCR values');
    }
    resolveCapturePlan(plan);
    return plan;
  } catch (error) {
    throw new CliError(inputProblem(error));
  }
}
