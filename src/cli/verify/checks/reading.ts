import { correctOnboardingStatus } from '../../../contract/index.js';
import { asAssumed, type Check, configure, type Judgement, notTried, safe, unsafe } from '../check.js';
import type { ForeignRead } from '../observations.js';
import { isSuccess, quoted, type Reply, textOf } from '../reply.js';

/** What protects where Incode does not hold a token against an id. */
export const USE_EXECUTIVE =
  'Give workers an executive token (docs/worker.md): they then read status and score by id with it, and report no action of a token that is not proven. Without one a mixed-up token is not found. Keep id and token together in one record.';

/** Every value that Incode documents or publishes. */
const DOCUMENTED = [
  'UNKNOWN',
  'ID_VALIDATION_FINISHED',
  'ID_VALIDATION_FINISHED_SECOND_ID',
  'POST_PROCESSING_FINISHED',
  'FACE_VALIDATION_FINISHED',
  'GOVERNMENT_VALIDATION_FINISHED',
  'ONBOARDING_FINISHED',
  'MANUAL_REVIEW_APPROVED',
  'MANUAL_REVIEW_REJECTED',
  'EXPIRED',
];

export const READING: readonly Check[] = [
  {
    id: 'status-by-id',
    assumption: 'A session token reads the status of its session by id',
    why: 'Every finish is preceded by this read.',
    evidence: 'D',
    tried: 'read the status of a new session by its id',
    needs: ['statusById'],
    judge({ statusById: reply }) {
      const status = textOf(reply, 'onboardingStatus');
      if (isSuccess(reply) && status !== undefined) return asAssumed(quoted(status));
      return unsafe(
        `${reply.status} without a status`,
        'Run no sessions: the package cannot see whether a session is finished. Report this.',
      );
    },
  },
  {
    id: 'status-values',
    assumption: 'Statuses are spelled as Incode documents them',
    why: 'The status decides whether a session is finished, expired or reviewed.',
    evidence: 'D',
    tried: 'collect every status that this run has read',
    needs: ['statuses'],
    judge({ statuses }) {
      const others = [...new Set(statuses)].filter((status) => !DOCUMENTED.includes(status));
      if (others.length === 0) return asAssumed([...new Set(statuses)].map(quoted).join(', '));
      const seen = others.map(quoted).join(', ');
      const isCorrected = others.every((status) => DOCUMENTED.includes(correctOnboardingStatus(status)));
      if (isCorrected) return safe(seen, 'The package corrects case, spaces and this misspelling.');
      return safe(
        seen,
        'An unknown status does not stop the first finish, and never counts as unfinished after one. Report it.',
      );
    },
  },
  {
    id: 'status-without-id',
    assumption: 'A session token reads its status without an id too',
    why: 'It tells a mixed-up token from one that is refused everywhere.',
    evidence: 'O',
    tried: 'read the status of a new session without its id',
    needs: ['statusWithoutId'],
    judge({ statusWithoutId: reply }) {
      if (isSuccess(reply)) return asAssumed('answered');
      return safe(
        `refused, ${reply.status}`,
        'A mixed-up token then looks like a refused one: the session waits in needsToken.',
      );
    },
  },
  {
    id: 'foreign-status',
    assumption: 'A status read with the id of another session is refused',
    why: 'It is how the package finds out that a token belongs to another session.',
    evidence: 'U',
    tried: 'read the status with the token of one session of this run and the id of another',
    needs: ['foreignStatus'],
    judge: ({ foreignStatus }) => judgeForeign(foreignStatus),
  },
  {
    id: 'foreign-score',
    assumption: 'A score read with the id of another session is refused',
    why: 'A score must be the score of the session that it is reported for.',
    evidence: 'U',
    tried: 'read the score with the token of one session of this run and the id of another',
    needs: ['foreignScore'],
    judge: ({ foreignScore }) => judgeForeign(foreignScore),
  },
  {
    id: 'unknown-id',
    assumption: 'A status read with an id that does not exist is refused',
    why: 'A mistyped interview id must not be answered with another session.',
    evidence: 'I',
    tried: 'read the status with a session token and an id that does not exist',
    needs: ['statusOfUnknownId'],
    judge({ statusOfUnknownId: reply }) {
      if (isSuccess(reply)) return configure('answered', USE_EXECUTIVE);
      return isRefusalOfId(reply) ? asAssumed(`refused, ${reply.status}`) : otherRefusal(reply);
    },
  },
  {
    id: 'executive-read',
    assumption: 'An executive token reads the status of any session by id',
    why: 'Workers with an executive token look before each finish, and confirm it.',
    evidence: 'D',
    tried: 'read the status of a session of this run with the executive token',
    needs: ['executiveRead'],
    judge: ({ executiveRead }) => judgeExecutive(executiveRead),
  },
  {
    id: 'executive-score',
    assumption: 'An executive token reads the score of any session by id',
    why: 'Workers with an executive token read each score so.',
    evidence: 'D',
    tried: 'read the score of a finished session of this run with the executive token',
    needs: ['executiveScore'],
    judge: ({ executiveScore }) => judgeExecutive(executiveScore),
  },
];

function judgeExecutive(reply: Reply): Judgement {
  if (isSuccess(reply)) return asAssumed('answered');
  return configure(
    `refused, ${reply.status}`,
    'Check the executive token. If it is valid, do not configure it on workers: their sessions would wait.',
  );
}

function judgeForeign({ reply, own, other, told }: ForeignRead): Judgement {
  if (!isSuccess(reply)) return isRefusalOfId(reply) ? asAssumed(`refused, ${reply.status}`) : otherRefusal(reply);
  if (own === other) return notTried('answered, but both sessions have the same value');
  if (told === other) {
    return unsafe(
      'answered for the other session',
      `Incode tells one person's data to another's token. Report it to Incode. ${USE_EXECUTIVE}`,
    );
  }
  return configure('answered for the session of the token', USE_EXECUTIVE);
}

/** Refusals that the package treats as a mismatch of id and token. */
export function isRefusalOfId({ kind }: Reply): boolean {
  return kind === 'tokenRefused' || kind === 'apiKeyRefused' || kind === 'unknownSession';
}

function otherRefusal({ kind, status }: Reply): Judgement {
  const seen = `refused, ${status}`;
  if (kind === 'badRequest')
    return safe(seen, 'A session with another token fails with that status, and is not finished.');
  return configure(
    seen,
    'A session with another token is not finished, and waits while Incode answers so: cancel it, and start it with its own token.',
  );
}
