import type { OnboardingInput } from '../contract/index.js';
import { InvalidInputError } from '../contract/index.js';
import { Window } from './batch/window.js';
import type { OnboardingClient } from './onboarding-client.js';
import type { StartedOnboarding, StartOptions } from './starting.js';

export interface StartManyOptions extends StartOptions {
  /** Starts in flight, a whole number from 1. Raise it if requests to the server are slow. @default 16 */
  concurrency?: number;
  /** Abort it to start no more sessions: iteration throws the signal's reason. Started onboardings continue. @default none */
  signal?: AbortSignal;
}

/** The result of one start: `started` as `start` returns it, or `error`, a `TemporalIncodeError`, as `start` throws it. */
export type StartManyItem = {
  /** Position in the input, from 0. */
  index: number;
  interviewId: string;
} & ({ started: StartedOnboarding; error?: never } | { started?: never; error: Error });

export const DEFAULT_CONCURRENCY = 16;

/**
 * Starts an onboarding for each session, `concurrency` at a time, and yields items in input order. A session that cannot be
 * started yields an item with its `error`, and the other sessions still start. Use it for sessions that wait for capture or
 * review. For all others use `completeBatch`, which costs a fraction.
 *
 * @example
 * ```ts
 * for await (const { interviewId, error } of startMany(onboarding, inputs)) {
 *   if (error) console.error(interviewId, error.message);
 * }
 * ```
 * @throws InvalidInputError for an option
 */
export async function* startMany(
  onboarding: OnboardingClient,
  inputs: Iterable<OnboardingInput> | AsyncIterable<OnboardingInput>,
  { concurrency = DEFAULT_CONCURRENCY, signal, ...options }: StartManyOptions = {},
): AsyncGenerator<StartManyItem, void, undefined> {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new InvalidInputError('concurrency', 'must be a whole number from 1');
  }
  const window = new Window<StartManyItem>(concurrency, true);
  const abort = () => window.close(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  void feed(window, inputs, (input, index) => startOne(onboarding, input, index, options));
  try {
    for (let taken = await window.take(); taken; taken = await window.take()) yield taken.value;
  } finally {
    signal?.removeEventListener('abort', abort);
    window.close(new Error('Iteration was stopped'));
  }
}

/** Never rejects: an error closes the window and is thrown to its reader. */
async function feed(
  window: Window<StartManyItem>,
  inputs: Iterable<OnboardingInput> | AsyncIterable<OnboardingInput>,
  start: (input: OnboardingInput, index: number) => Promise<StartManyItem>,
): Promise<void> {
  try {
    let index = 0;
    for await (const input of inputs) {
      await window.room();
      if (window.isClosed) return;
      window.add(start(input, index));
      index += 1;
    }
    window.close();
  } catch (error) {
    window.close(error);
  }
}

async function startOne(
  onboarding: OnboardingClient,
  input: OnboardingInput,
  index: number,
  options: StartOptions,
): Promise<StartManyItem> {
  const interviewId = String((input as Partial<OnboardingInput> | null)?.interviewId ?? '');
  try {
    return { index, interviewId, started: await onboarding.start(input, options) };
  } catch (error) {
    return { index, interviewId, error: error instanceof Error ? error : new Error(String(error)) };
  }
}
