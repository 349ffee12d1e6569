import { type Command, Option } from 'commander';
import { resolvePlan } from '../../contract/guards.js';
import { PLAN_DEFAULTS, type Plan } from '../../contract/index.js';
import { omitUndefined } from '../../contract/omit-undefined.js';
import { CliError, inputProblem } from './exit.js';

export interface PlanOptions {
  finishWhen: NonNullable<Plan['finishWhen']>;
  captureDeadline?: string;
  close: boolean;
  score: boolean;
  scoreDeadline?: string;
  review: NonNullable<Plan['review']>;
  reviewDeadline?: string;
}

/** The options of every command that starts onboardings. */
export function withPlanOptions(command: Command, finishWhen: PlanOptions['finishWhen'] = 'now'): Command {
  return command
    .addOption(
      new Option('--finish-when <when>', 'finish now, when Incode has processed everything, or when asked')
        .choices(['now', 'processed', 'asked'])
        .default(finishWhen),
    )
    .option('--capture-deadline <duration>', 'how long to wait until then (default: 7 days)')
    .option('--close', 'close the session at Incode after finishing', false)
    .option('--no-score', "ignore the score; the rule engine's action decides")
    .option('--score-deadline <duration>', 'how long to wait for the score (default: 15 minutes)')
    .addOption(
      new Option('--review <what>', "report a session that needs a person's review, or wait for the verdict")
        .choices(['report', 'wait'])
        .default('report'),
    )
    .option('--review-deadline <duration>', 'how long to wait for the verdict (default: 30 days)');
}

/** @throws CliError for an invalid plan, before any session starts with it */
export function planOf(options: PlanOptions): Plan {
  const plan = explicitPlan(options);
  try {
    resolvePlan(plan);
    return plan;
  } catch (error) {
    throw new CliError(inputProblem(error));
  }
}

/** Omits defaults, so that `complete` attaches to an onboarding whose plan differs only in parts that the user did not name. */
function explicitPlan(options: PlanOptions): Plan {
  const { finishWhen, captureDeadline, close, score, scoreDeadline, review, reviewDeadline } = options;
  return {
    ...(finishWhen === PLAN_DEFAULTS.finishWhen ? {} : { finishWhen }),
    ...(close === PLAN_DEFAULTS.close ? {} : { close }),
    ...(score === PLAN_DEFAULTS.score ? {} : { score }),
    ...(review === PLAN_DEFAULTS.review ? {} : { review }),
    ...omitUndefined({ captureDeadline, scoreDeadline, reviewDeadline }),
  };
}
