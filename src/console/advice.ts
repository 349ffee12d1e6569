import type { SessionView } from '../gateway/types.js';
import { OUTCOME_WORDS, STAGE_WORDS, wordFor } from './words.js';

export interface Advice {
  /** Whether somebody has to act. */
  isUrgent: boolean;
  what: string;
  next: string | null;
}

/** Types of failures that the operator of the workers has to correct. The call is repeated until then. */
const OPERATORS: Readonly<Record<string, string>> = {
  IncodeApiKeyRefused: 'The operator of the workers has to correct INCODE_API_KEY. The call is repeated until then.',
  IncodeMisconfigured:
    'The operator of the workers has to correct INCODE_BASE_URL or the proxy. The call is repeated until then.',
  IncodeTokenSourceFailed:
    'The operator of the workers has to look at the token source. The call is repeated until then.',
};

/** What a session waits for, and what to do. */
export function adviceFor({ status, state, result, failure, call }: SessionView): Advice {
  if (status === 'running') {
    if (state === null) {
      return {
        isUrgent: true,
        what: 'No worker answered, so the stage is not known.',
        next: 'Ask the operator whether a worker runs. The session continues as soon as one does.',
      };
    }
    const operators = OPERATORS[call?.lastFailure?.type ?? ''];
    if (operators) return { isUrgent: true, what: wordFor(STAGE_WORDS, state.stage).meaning, next: operators };
    if (call?.paused) {
      return {
        isUrgent: true,
        what: 'An operator has paused the call to Incode.',
        next: "Continue it with temporal activity unpause, or in Temporal's Web UI.",
      };
    }
    return whileRunning(state);
  }
  if (result)
    return { isUrgent: false, what: result.reason, next: wordFor(OUTCOME_WORDS, result.outcome).meaning || null };
  return {
    isUrgent: failure !== null && status === 'failed',
    what: failure ? failure.message : 'The onboarding ended without an outcome.',
    next: 'Start the session again if it is still wanted. Its status is read first, so it is not finished twice.',
  };
}

function whileRunning({ stage, waitingFor }: NonNullable<SessionView['state']>): Advice {
  const { meaning } = wordFor(STAGE_WORDS, stage);
  switch (stage) {
    case 'needsToken':
      return { isUrgent: true, what: meaning, next: 'Get a fresh session token from Incode and hand it in.' };
    case 'inReview':
      return { isUrgent: true, what: meaning, next: 'The session continues by itself after the verdict.' };
    default:
      return {
        isUrgent: false,
        what: waitingFor ? `It waits for ${waitingFor}.` : meaning,
        next: 'Nobody has to act.',
      };
  }
}
