import { correctOnboardingStatus } from '../../../contract/milestones.js';
import { asAssumed, type Check, configure, type Judgment, safe, unsafe } from '../check.js';
import { isSuccess, quoted, type Reply, textOf } from '../reply.js';
import {
  isRefusalOfId,
  judgeAnswered,
  judgeForeignScore,
  judgeForeignStatus,
  judgeOtherRefusal,
} from './foreign-ids.js';

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
    why: 'This read distinguishes a mixed-up token from a token that Incode refuses everywhere.',
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
    why: 'By this refusal, the package finds out that a token belongs to another session.',
    evidence: 'U',
    tried: 'read the status with the token of one session of this run and the id of another',
    needs: ['foreignStatus'],
    judge: judgeForeignStatus,
  },
  {
    id: 'foreign-score',
    assumption: 'A score read with the id of another session is refused',
    why: 'A score must be the score of the session that it is reported for.',
    evidence: 'U',
    tried: 'read the score with the token of one session of this run and the id of another',
    needs: ['foreignScore'],
    judge: judgeForeignScore,
  },
  {
    id: 'unknown-id',
    assumption: 'A status read with an id that does not exist is refused',
    why: 'A mistyped interview id must not be answered with another session.',
    evidence: 'I',
    tried: 'read the status with a session token and an id that does not exist',
    needs: ['statusOfUnknownId'],
    judge({ statusOfUnknownId: reply, ...seen }, settings) {
      if (isSuccess(reply)) return judgeAnswered('answered', seen, settings);
      return isRefusalOfId(reply) ? asAssumed(`refused, ${reply.status}`) : judgeOtherRefusal(reply);
    },
  },
  {
    id: 'executive-read',
    assumption: 'An executive token reads the status of any session by id',
    why: 'Workers with an executive token read the status before each finish, and confirm the finish.',
    evidence: 'D',
    tried: 'read the status of a session of this run with the executive token',
    needs: ['executiveRead'],
    judge: ({ executiveRead }) => judgeExecutive(executiveRead),
  },
  {
    id: 'executive-score',
    assumption: 'An executive token reads the score of any session by id',
    why: 'Workers with an executive token read every score this way.',
    evidence: 'D',
    tried: 'read the score of a finished session of this run with the executive token',
    needs: ['executiveScore'],
    judge: ({ executiveScore }) => judgeExecutive(executiveScore),
  },
];

function judgeExecutive(reply: Reply): Judgment {
  if (isSuccess(reply)) return asAssumed('answered');
  return configure(
    `refused, ${reply.status}`,
    'Check the executive token. If it is valid, do not configure it on workers: their sessions would wait.',
  );
}
