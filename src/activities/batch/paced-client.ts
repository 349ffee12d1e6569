import type { IncodeClient } from '../../incode/index.js';
import { NotSentError } from '../lease.js';
import type { RequestPacer } from './request-pacer.js';

/** Wraps a call so that it waits for its turn. */
export function inTurn<Args extends unknown[], T>(pace: RequestPacer, call: (...args: Args) => Promise<T>) {
  return (...args: Args): Promise<T> => {
    const turn = pace.turn();
    return turn ? turn.then(() => call(...args)) : call(...args);
  };
}

/**
 * Wraps a client so that every request waits for its turn. Names each call instead of spreading the client, so that a new call that is not
 * paced does not compile.
 *
 * @param mayFinish whether a finish may still be sent after it waited for its turn
 */
export function pacedClient(incode: IncodeClient, pace: RequestPacer, mayFinish: () => boolean): IncodeClient {
  return {
    finishStatus: inTurn(pace, (...args) =>
      mayFinish() ? incode.finishStatus(...args) : Promise.reject(new NotSentError('the activity is over')),
    ),
    onboardingStatus: inTurn(pace, incode.onboardingStatus),
    closeSession: inTurn(pace, incode.closeSession),
    score: inTurn(pace, incode.score),
    start: inTurn(pace, incode.start),
    logIn: inTurn(pace, incode.logIn),
    close: incode.close,
  };
}
