import type { OnboardingResult } from '../contract/index.js';

/** The session was completed before, so it was not started again. `result` says how it ended. */
export class SessionCompletedError extends Error {
  override readonly name = 'SessionCompletedError';
  readonly interviewId: string;
  /** Not shown when the error is printed: names of persons stand in its redirection URL. */
  declare readonly result: OnboardingResult;

  constructor(result: OnboardingResult) {
    super(
      `Session ${result.interviewId} was completed before: ${result.outcome}. ` +
        `Start with ifCompleted: 'return' to get that result, or 'restart' to go through it again.`,
    );
    this.interviewId = result.interviewId;
    Object.defineProperty(this, 'result', { value: result });
  }
}

/** No workflow was ever started for the session, or the namespace's retention has removed it. */
export class SessionNotFoundError extends Error {
  override readonly name = 'SessionNotFoundError';
  readonly interviewId: string;

  constructor(interviewId: string) {
    super(`Session ${interviewId}: no onboarding is known in this namespace. Start it first.`);
    this.interviewId = interviewId;
  }
}

/**
 * The onboarding ended without a result: Incode refused the session for good, or somebody cancelled or terminated the
 * workflow. Starting the session again is safe: its status is read first.
 */
export class SessionFailedError extends Error {
  override readonly name = 'SessionFailedError';
  readonly interviewId: string;
  /** One of the contract's `FAILURES`, or `Cancelled`, `Terminated`, `TimedOut`. */
  readonly type: string;
  /** `details[0]` of the workflow's failure, if it had one. */
  readonly details: unknown;

  constructor(interviewId: string, type: string, message: string, details?: unknown) {
    super(message.includes(interviewId) ? message : `Session ${interviewId}: ${message}`);
    this.interviewId = interviewId;
    this.type = type;
    this.details = details;
  }
}

/** The `TEMPORAL_…` variables or the profile file are wrong. Nothing was sent. */
export class TemporalConfigurationError extends Error {
  override readonly name = 'TemporalConfigurationError';

  constructor(cause: unknown) {
    super(`The Temporal configuration (TEMPORAL_… and its profile file) is wrong: ${(cause as Error).message}`);
  }
}

/** What is wrong with Temporal, and what is to be done about it. */
const PROBLEMS = {
  away: (address: string) =>
    `Temporal at ${address} does not answer or is too busy. Whether it took the request is not known. ` +
    'Check that it runs, that the address (TEMPORAL_ADDRESS) is right and whether it wants TLS (TEMPORAL_TLS); then ask again.',
  refused: (address: string, namespace: string) =>
    `Temporal at ${address} refuses the credentials for namespace ${namespace}. ` +
    'Check the API key (TEMPORAL_API_KEY) or the client certificate (TEMPORAL_TLS_CLIENT_CERT_PATH), and what it may do there.',
  unknownNamespace: (address: string, namespace: string) =>
    `Temporal at ${address} has no namespace ${namespace}. Name one that it has (TEMPORAL_NAMESPACE), or create it: ` +
    `temporal operator namespace create --namespace ${namespace}`,
};

/** Temporal itself is away, or does not let the caller in. It says nothing of a session. `cause` is what its client threw. */
export class TemporalUnavailableError extends Error {
  override readonly name = 'TemporalUnavailableError';
  /** `away`: unreachable, or too busy. `refused`: the credentials are wrong, or may not do this. */
  readonly problem: 'away' | 'refused' | 'unknownNamespace';
  /** Asking again later may help, without anybody doing anything. */
  readonly retryable: boolean;
  /** Host and port. */
  readonly address: string;
  readonly namespace: string;

  constructor(
    problem: TemporalUnavailableError['problem'],
    { address, namespace }: { address: string; namespace: string },
    cause?: unknown,
  ) {
    super(PROBLEMS[problem](address, namespace), { cause });
    this.problem = problem;
    this.retryable = problem === 'away';
    this.address = address;
    this.namespace = namespace;
  }
}

/** The request makes no sense in the stage in which the session is. Nothing was changed. */
export class WrongStageError extends Error {
  override readonly name = 'WrongStageError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/**
 * More updates `finish` than there is room for wait for the session's answer, all sent by other programs under ids of their own. Nothing
 * was changed, and the session goes on.
 */
export class TooManyWaitingError extends Error {
  override readonly name = 'TooManyWaitingError';
  readonly interviewId: string;

  constructor(interviewId: string, message: string) {
    super(message);
    this.interviewId = interviewId;
  }
}

/** The answer did not come in time. The session goes on at the server: ask for the answer again. */
export class AnswerPendingError extends Error {
  override readonly name = 'AnswerPendingError';
  readonly interviewId: string;

  constructor(interviewId: string, timeoutMs: number) {
    super(
      `Session ${interviewId}: no answer within ${timeoutMs / 1_000} s. The onboarding goes on at the server; ` +
        'ask again, or look at its state to see what it waits for.',
    );
    this.interviewId = interviewId;
  }
}
