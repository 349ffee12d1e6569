import {
  AnswerPendingError,
  InvalidInputError,
  type OnboardingClient,
  SessionFailedError,
  TemporalUnavailableError,
} from 'temporal-incode/client';

interface StoredSession {
  interviewId: string;
  sessionToken: string;
}

/** Finishes a person's session and returns the page to send the person to. */
export async function nextPage(onboarding: OnboardingClient, session: StoredSession): Promise<string> {
  const answer = await onboarding.finish(session, { timeoutMs: 10_000 });
  if (answer === null) return '/expired'; // The session expired before it was finished.
  switch (answer.action) {
    case 'approved':
      return answer.redirectionUrl ?? '/welcome';
    case 'rejected':
      return answer.redirectionUrl ?? '/refused';
    default:
      // "none", null (the answer got lost), or a value that Incode added: wait for the outcome.
      return '/checking';
  }
}

/** The same, with a page for every error that a person can cause or wait for. */
export async function nextPageOrError(onboarding: OnboardingClient, session: StoredSession): Promise<string> {
  try {
    return await nextPage(onboarding, session);
  } catch (error) {
    // Temporal has the session. Asking again gives the same answer.
    if (error instanceof AnswerPendingError) return '/checking';
    // Nothing was sent. Usually the stored token has expired.
    if (error instanceof InvalidInputError) return '/start-again';
    // Temporal is down. Asking again is safe.
    if (error instanceof TemporalUnavailableError && error.retryable) return '/try-again';
    // Incode refused the session for good, or somebody ended the workflow.
    if (error instanceof SessionFailedError) return `/contact-us?reason=${error.type}`;
    throw error; // A wrong setting or a mistake in the code.
  }
}
