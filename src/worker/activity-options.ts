import { type ActivityOptions, reissuingTokenSource } from '../activities/index.js';
import type { Config } from '../config/index.js';
import type { IncodeClient } from '../incode/index.js';
import { executiveToken } from './executive.js';

/** What the activities of a worker need of its configuration, and of its host. */
export function activityOptions(
  config: Config,
  incode: IncodeClient,
  given: Pick<ActivityOptions, 'tokenSource' | 'observe'>,
): ActivityOptions {
  const { configurationId, timeoutMs, settleTimeMs, confirmFinishWithinMs, processedPollMs, reviewPollMs } = config;
  const reissuing = configurationId ? reissuingTokenSource(incode, { configurationId }) : undefined;
  const tokenSource = given.tokenSource ?? reissuing;
  const executive = executiveToken(config, incode);
  const { observe } = given;
  return {
    incode,
    settleTimeMs,
    confirmFinishWithinMs,
    // Incode's re-issue has a timeout of its own, and says better what went wrong.
    ...(given.tokenSource ? {} : { tokenTimeoutMs: 2 * timeoutMs }),
    processedPollMs,
    reviewPollMs,
    ...(tokenSource ? { tokenSource } : {}),
    ...(executive ? { executive } : {}),
    ...(observe ? { observe } : {}),
  };
}
