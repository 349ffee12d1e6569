import { REQUIRED_HEADERS, type RequiredHeader } from '../../../incode/headers.js';
import { parseRetryAfter } from '../../../incode/retry-after.js';
import { asAssumed, type Check, type Judgment, notTried, safe, unsafe } from '../check.js';
import { isSuccess, type Reply } from '../reply.js';

function headerOfGet(name: RequiredHeader): Check {
  return {
    id: `header-${name}`,
    assumption: `A GET without the header ${name} is refused`,
    why: ALL_HEADERS,
    evidence: 'D',
    tried: `read a status without ${name}`,
    needs: ['getWithoutHeader'],
    judge: ({ getWithoutHeader: { [name]: reply } }) => judgeWithoutHeader(reply),
  };
}

function headerOfPost(name: RequiredHeader): Check {
  return {
    id: `post-header-${name}`,
    assumption: `A POST without the header ${name} is refused`,
    why: ALL_HEADERS,
    evidence: 'D',
    tried: `close a closed session of this run again without ${name}`,
    needs: ['postWithoutHeader'],
    judge: ({ postWithoutHeader: { [name]: reply } }) => judgeWithoutHeader(reply),
  };
}

const ALL_HEADERS = 'The package sends all four headers on every call.';

function judgeWithoutHeader(reply: Reply): Judgment {
  if (!isSuccess(reply)) return asAssumed(`refused, ${reply.status}`);
  return safe('answered', 'The package always sends the header.');
}

export const REFUSING: readonly Check[] = [
  ...REQUIRED_HEADERS.map(headerOfGet),
  ...REQUIRED_HEADERS.map(headerOfPost),
  {
    id: 'wrong-api-key',
    assumption: 'A wrong API key is refused with 403',
    why: 'Sessions wait until the operator has corrected the key, and none fails.',
    evidence: 'D',
    tried: 'read a status with a made-up API key',
    needs: ['wrongKey'],
    judge({ wrongKey: reply }) {
      const advice = 'When every session asks for a fresh token at once, check the API key first.';
      return judgeRefusal(reply, 'apiKeyRefused', advice);
    },
  },
  {
    id: 'wrong-token',
    assumption: 'A wrong session token is refused with 401',
    why: 'The session then waits for a fresh token.',
    evidence: 'D',
    tried: 'read a status with a made-up token',
    needs: ['wrongToken'],
    judge({ wrongToken: reply }) {
      const advice = 'A refused token looks like a wrong API key: if the key is right, hand in a fresh token.';
      return judgeRefusal(reply, 'tokenRefused', advice);
    },
  },
  {
    id: 'error-bodies',
    assumption: 'Refusals have a JSON body with status and error',
    why: 'The package decides by the HTTP status, and shows the code of the body.',
    evidence: 'D',
    tried: 'look at the bodies of a 400, 401, 403 and 404',
    needs: ['badParameter', 'wrongKey', 'wrongToken', 'unknownPath'],
    judge({ badParameter, wrongKey, wrongToken, unknownPath }) {
      const refusals = [badParameter, wrongToken, wrongKey, unknownPath].filter((reply) => !isSuccess(reply));
      const others = refusals.filter((reply) => !isErrorBody(reply));
      if (others.length === 0) return asAssumed(`${refusals.map(({ status }) => status).join(', ')}: JSON`);
      const seen = others.map(({ status, body }) => `${status}: ${body === 'JSON' ? 'other fields' : body}`).join(', ');
      return safe(seen, "The package then shows the HTTP status without Incode's own code.");
    },
  },
  {
    id: 'date',
    assumption: 'Answers have the header Date',
    why: 'doctor compares the clock of this machine with it.',
    evidence: 'I',
    tried: 'look at the header of the first answer',
    needs: ['hasDate'],
    judge: ({ hasDate }) =>
      hasDate ? asAssumed('present') : safe('absent', 'doctor cannot check the clock: keep it set by NTP.'),
  },
  {
    id: 'rate-limit',
    assumption: 'A 429 says in Retry-After when to try again',
    why: 'The package waits as long as Incode asks for.',
    evidence: 'U',
    tried: 'a bounded burst of status reads, only with --try-rate-limit',
    needs: ['rateLimit'],
    judge({ rateLimit: { sent, refusal } }) {
      if (!refusal) return notTried(`no 429 in ${sent} reads`);
      const seen = `429 after ${sent} reads`;
      if (parseRetryAfter(refusal.retryAfter, 0) !== undefined) return asAssumed(`${seen}, with Retry-After`);
      return safe(
        `${seen}, without Retry-After`,
        'The package backs off by itself. Set INCODE_RATE_LIMIT below the limit of your contract.',
      );
    },
  },
];

type Refused = 'apiKeyRefused' | 'tokenRefused';

function judgeRefusal(reply: Reply, expected: Refused, adviceIfOther: string): Judgment {
  const { status, kind } = reply;
  if (isSuccess(reply))
    return unsafe('answered', 'Check that INCODE_BASE_URL is Incode: it accepts invalid credentials.');
  if (kind === expected) return asAssumed(`${status}`);
  if (kind === 'apiKeyRefused' || kind === 'tokenRefused') return safe(`${status}`, adviceIfOther);
  if (kind === 'notTaken' || kind === 'misconfigured')
    return safe(`${status}`, 'The package retries until it is corrected.');
  return unsafe(`${status}`, 'The package treats this as a refusal of the session, which then fails. Report this.');
}

function isErrorBody({ body, fields }: Reply): boolean {
  return body === 'JSON' && fields.status !== undefined && fields.error !== undefined;
}
