import { correctOnboardingStatus, isKnownStatus, milestoneOf } from '../../../contract/milestones.js';
import { readRedirection } from '../../../incode/limits.js';
import { asAssumed, type Check, configure, notTried, safe, unsafe } from '../check.js';
import { isSuccess, quoted, type Reply, textOf } from '../reply.js';

export const FINISHING: readonly Check[] = [
  {
    id: 'finish-answer',
    assumption: 'finish-status answers an action: approved, rejected or none',
    why: 'The action is the first part of the verdict.',
    evidence: 'O',
    tried: 'finish a session of this run',
    needs: ['finish'],
    judge({ finish: reply }) {
      const action = textOf(reply, 'action');
      if (reply.kind !== undefined) return notTried(`refused, ${reply.status}`);
      if (action === undefined) {
        return safe(
          `${reply.status} without an action`,
          'The package sends nothing again: it reads the status, and the score decides.',
        );
      }
      const seen = `${reply.status}, ${quoted(action)}`;
      if (['approved', 'rejected', 'none'].includes(action)) return asAssumed(seen);
      return safe(seen, 'An unknown action decides nothing: the score decides.');
    },
  },
  {
    id: 'redirection-url',
    assumption: 'redirectionUrl is a short http(s) URL, or missing',
    why: 'A browser is sent there.',
    evidence: 'O',
    tried: 'start with a redirectionUrl, and look at the one that finish-status answers',
    needs: ['finish'],
    judge({ finish }) {
      if (finish.kind !== undefined) return notTried(`refused, ${finish.status}`);
      const url = textOf(finish, 'redirectionUrl');
      if (url === undefined) return asAssumed('none');
      const { redirectionUnsafe } = readRedirection(url);
      const scheme = URL.canParse(url) ? new URL(url).protocol : 'no URL';
      const seen = `${quoted(scheme)}, ${Buffer.byteLength(url)} bytes`;
      if (!redirectionUnsafe) return asAssumed(seen);
      return safe(seen, 'The package drops the URL (redirectionUnsafe). Correct it in the flow.');
    },
  },
  {
    id: 'empty-finish',
    assumption: 'A session without documents can be finished',
    why: 'A session that is finished too early gets a verdict without documents.',
    evidence: 'U',
    tried: 'finish a session of this run without any document',
    needs: ['emptyFinish'],
    judge({ emptyFinish: reply }) {
      if (isSuccess(reply)) return asAssumed(`${reply.status}, ${quoted(textOf(reply, 'action'))}`);
      if (isFault(reply)) return notTried(`answered ${reply.status}`);
      return safe(`refused, ${reply.status}`, 'A finish before the capture fails the session: wait with finishWhen.');
    },
  },
  {
    id: 'status-after-finish',
    assumption: 'The status says finished within the settle time',
    why: 'A session whose status says unfinished after the settle time is finished again.',
    evidence: 'D',
    tried: 'read the status after a finish until it says finished',
    needs: ['statusDelay'],
    judge({ statusDelay: { ms, waitedMs, last } }, { settleTimeMs }) {
      if (ms !== null && ms <= settleTimeMs) return asAssumed(`after ${seconds(ms)}`);
      if (ms !== null)
        return configure(
          `after ${seconds(ms)}`,
          `Set INCODE_SETTLE_TIME to ${Math.ceil(ms / 500)}s, twice what was seen.`,
        );
      const seen = `${quoted(last)} after ${seconds(waitedMs)}`;
      if (last !== undefined && !isEarly(last)) {
        return unsafe(
          seen,
          'Run no sessions, and report this status: the package would finish sessions again that are already finished.',
        );
      }
      if (waitedMs < settleTimeMs) return notTried(`${seen}; wait ${seconds(settleTimeMs)} with --wait`);
      return unsafe(
        seen,
        'Run no sessions: a lost answer would lead to a second finish. Raise --wait to measure, then INCODE_SETTLE_TIME.',
      );
    },
  },
  {
    id: 'score-after-finish',
    assumption: 'The score is ready soon after the finish',
    why: 'The package asks for the score again until the deadline of its plan.',
    evidence: 'O',
    tried: 'read the score after a finish until it is ready',
    needs: ['scoreDelay'],
    judge({ scoreDelay: { ms, waitedMs, last } }) {
      if (ms !== null) return asAssumed(`${quoted(last)} after ${seconds(ms)}`);
      return safe(
        `${quoted(last)} after ${seconds(waitedMs)}`,
        'The package waits 15 minutes, or as plan.scoreDeadline says. The sessions of this run have no usable documents.',
      );
    },
  },
  {
    id: 'second-finish',
    assumption: 'A second finish changes neither status nor action',
    why: 'The package sends none while the status says finished, but rules and webhooks may run again.',
    evidence: 'U',
    tried: 'finish the same session twice, then read its status',
    needs: ['secondFinish'],
    judge({ secondFinish: { first, second, statusAfter } }) {
      const after = statusAfter === undefined ? undefined : correctOnboardingStatus(statusAfter);
      if (statusAfter !== undefined && isSuccess(second) && isEarly(statusAfter)) {
        return unsafe(
          `${second.status}, then ${quoted(after)}`,
          'Run no sessions, and report this: the status went back.',
        );
      }
      if (!isSuccess(second)) {
        return safe(
          `refused, ${second.status}`,
          'A session that somebody else finished a moment ago fails while its status still says unfinished: start it again a minute later. With verifyFirst trust it always fails.',
        );
      }
      const [before, now] = [first, second].map((reply) => quoted(textOf(reply, 'action')));
      if (before === now) return asAssumed(`${second.status}, ${now} again`);
      return configure(
        `${before}, then ${now}`,
        'Never use verifyFirst trust, and never call finish-status outside this package.',
      );
    },
  },
  {
    id: 'close-after-finish',
    assumption: 'A finished session can be closed, and stays finished',
    why: 'plan.close and batches with close do so after the finish.',
    evidence: 'O',
    tried: 'close a finished session, then read its status',
    needs: ['closeAfterFinish'],
    judge({ closeAfterFinish: { reply, statusAfter } }) {
      if (!isSuccess(reply)) return configure(`refused, ${reply.status}`, 'Leave plan.close at false.');
      if (statusAfter === undefined || !isEarly(statusAfter)) return asAssumed(`closed, ${quoted(statusAfter)}`);
      return configure(
        `closed, then ${quoted(statusAfter)}`,
        'Leave plan.close at false: the status no longer says finished.',
      );
    },
  },
  {
    id: 'closed-finish',
    assumption: 'A closed session can still be finished',
    why: 'Somebody may close a session on the dashboard before it is finished.',
    evidence: 'U',
    tried: 'close a session that is not finished, then finish it',
    needs: ['closedFinish', 'emptyFinish'],
    judge({ closedFinish: reply, emptyFinish }) {
      if (isSuccess(reply)) return asAssumed(`${reply.status}, ${quoted(textOf(reply, 'action'))}`);
      if (isFault(reply)) return notTried(`answered ${reply.status}`);
      if (!isSuccess(emptyFinish)) return notTried(REFUSED_AS_EMPTY);
      return safe(`refused, ${reply.status}`, 'A session that was closed before its finish fails with that status.');
    },
  },
  {
    id: 'expired-finish',
    assumption: 'An expired session cannot be finished',
    why: 'The package ends an expired session as expired, without a finish.',
    evidence: 'U',
    tried: 'wait until a session of this run expires, then finish it; only with --wait-for-expiry',
    needs: ['expiredFinish', 'emptyFinish'],
    judge({ expiredFinish: reply, emptyFinish }) {
      if (isFault(reply)) return notTried(`answered ${reply.status}`);
      if (!isSuccess(reply) && !isSuccess(emptyFinish)) return notTried(REFUSED_AS_EMPTY);
      if (!isSuccess(reply)) return asAssumed(`refused, ${reply.status}`);
      return safe(
        `${reply.status}, ${quoted(textOf(reply, 'action'))}`,
        'The package does not finish expired sessions.',
      );
    },
  },
  {
    id: 'process-id-twice',
    assumption: 'process/id without new pictures is refused the second time',
    why: 'A retry after a lost answer must not count as a failure of the person.',
    evidence: 'D',
    tried: 'upload a blank picture as front and back, then call process/id twice',
    needs: ['processId'],
    judge({ processId: { first, second } }) {
      if (!isSuccess(first)) return notTried(`the first was refused, ${first.status}`);
      if (!isSuccess(second)) return asAssumed(`refused, ${second.status}`);
      return safe('accepted', 'A repeat is harmless.');
    },
  },
];

/** Says nothing about what Incode does with such a session. */
function isFault({ kind }: Reply): boolean {
  return kind === 'resultUnknown' || kind === 'maybeRunning';
}

const REFUSED_AS_EMPTY = 'refused, as a session without documents is';

/** Whether a known status clearly says that the session is not finished. */
function isEarly(status: string): boolean {
  const corrected = correctOnboardingStatus(status);
  return isKnownStatus(corrected) && ['open', 'processed'].includes(milestoneOf(corrected));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
