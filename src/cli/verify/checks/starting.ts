import { asAssumed, type Check, configure, safe, unsafe } from '../check.js';
import { isSuccess, textOf } from '../reply.js';
import { judgeUnnamedToken } from './foreign-ids.js';

const NO_RENEWAL =
  'Leave INCODE_CONFIGURATION_ID unset on workers; hand in fresh tokens, or use a token source of your own.';

export const STARTING: readonly Check[] = [
  {
    id: 'token-form',
    assumption: 'A session token is a JWT with an expiry',
    why: 'The package refuses a token that has expired before it sends it.',
    evidence: 'D',
    tried: 'decode the token of a new session',
    needs: ['token'],
    judge({ token: { isJwt, expires } }) {
      if (isJwt && expires) return asAssumed('JWT with exp');
      const seen = isJwt ? 'JWT without exp' : 'no JWT';
      return safe(seen, 'An expired token is found when Incode refuses it: the session then waits in needsToken.');
    },
  },
  {
    id: 'token-names-session',
    assumption: 'The claim interviewId of a token, if there is one, names its session',
    why: 'A token whose claim names another session is refused before anything is sent.',
    evidence: 'U',
    tried: 'compare the claim with the interview id of the same answer',
    needs: ['token'],
    judge({ token: { names }, ...seen }, settings) {
      if (names === 'this session') return asAssumed('the claim names the session');
      if (names === 'another session') {
        return unsafe(
          'the claim has another value',
          'Run no sessions, and report this: the package would refuse every token.',
        );
      }
      return judgeUnnamedToken(seen, settings);
    },
  },
  {
    id: 'reissue',
    assumption: 'Start with an interviewId gives a fresh token for that session',
    why: 'Workers with INCODE_CONFIGURATION_ID renew refused tokens this way.',
    evidence: 'O',
    tried: 'start with the interviewId of a session of this run, then read its status with the new token',
    needs: ['reissue'],
    judge({ reissue: { reply, isSameSession, newToken } }) {
      if (!isSuccess(reply)) return configure(`${reply.status}`, NO_RENEWAL);
      if (!isSameSession) return configure('a new session', NO_RENEWAL);
      if (!newToken || !isSuccess(newToken))
        return configure(`same session, its token: ${newToken?.status ?? 'none'}`, NO_RENEWAL);
      if (reply.fields.existingSession === true) return asAssumed('same session, existingSession true');
      return safe('same session, existingSession not true', 'The package compares the interviewId only.');
    },
  },
  {
    id: 'earlier-token',
    assumption: 'The earlier token stays valid after a fresh one was issued',
    why: 'Renewing a token must not break requests that still use the earlier one.',
    evidence: 'I',
    tried: 'read the status with the first token after the renewal',
    needs: ['reissue'],
    judge({ reissue: { earlierToken, isSameSession } }) {
      if (!isSameSession || !earlierToken) return { seen: 'no fresh token', verdict: 'could not be tried' };
      if (isSuccess(earlierToken)) return asAssumed('valid');
      return safe(
        `refused, ${earlierToken.status}`,
        'A session whose token was renewed elsewhere waits in needsToken for the new one.',
      );
    },
  },
  {
    id: 'unknown-start',
    assumption: 'Start with an unknown interviewId opens no session',
    why: 'A wrong id at renewal would otherwise open an empty session on each try.',
    evidence: 'U',
    tried: 'start with an interviewId that does not exist; a session that it opens is closed',
    needs: ['unknownStart'],
    judge({ unknownStart: reply }) {
      if (!isSuccess(reply) || textOf(reply, 'interviewId') === undefined) return asAssumed(`refused, ${reply.status}`);
      return safe('a new session', 'Workers do not use its token, but empty sessions can appear on the dashboard.');
    },
  },
];
