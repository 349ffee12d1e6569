/**
 * Base class of every error that `temporal-incode/client` throws. Catch it to tell this package's errors from your own.
 *
 * @example
 * ```ts
 * try {
 *   await onboarding.start({ interviewId });
 * } catch (error) {
 *   if (!(error instanceof TemporalIncodeError)) throw error;
 *   response.status(503).json({ error: error.message });
 * }
 * ```
 */
export class TemporalIncodeError extends Error {
  override readonly name: string = 'TemporalIncodeError';
}
