import { omitUndefined } from '../../contract/omit-undefined.js';
import { ok } from './answer.js';
import type { OpenRoute } from './route.js';
import type { SessionSpec } from './types.js';

/** Outcomes that `customFields.simulate` of `POST /omni/start` selects. Times are scaled. */
const OUTCOMES: Record<string, (timeScale: number) => SessionSpec> = {
  approved: () => ({ action: 'approved', score: { status: 'OK', value: '94.6' } }),
  rejected: () => ({ action: 'rejected', score: { status: 'FAIL', value: '12.1' } }),
  undecided: () => ({ action: 'none', score: { status: 'UNKNOWN', value: '0.0' } }),
  review: () => ({ action: 'none', score: { status: 'WARN', value: '61.0' } }),
  slow: (timeScale) => ({ action: 'approved', scoreReadyAfterMs: 20_000 * timeScale }),
  reviewApproved: (timeScale) => ({ ...PENDING, manualReview: { verdict: 'APPROVED', afterMs: 60_000 * timeScale } }),
  reviewRejected: (timeScale) => ({ ...PENDING, manualReview: { verdict: 'REJECTED', afterMs: 60_000 * timeScale } }),
};

const PENDING: SessionSpec = { action: 'none', score: { status: 'MANUAL_PENDING', value: '61.0' } };

export const start: OpenRoute = {
  operation: 'start',
  method: 'POST',
  token: 'none',
  async handle({ body, refuse, sessions, timeScale, behavior }) {
    // Incode's samples omit `language`.
    for (const field of ['configurationId', 'countryCode']) {
      if (typeof body[field] !== 'string' || body[field] === '') return refuse(400, `${field} is required`);
    }
    for (const field of ['language', 'externalCustomerId', 'redirectionUrl', 'interviewId']) {
      const value = body[field] ?? undefined;
      if (value !== undefined && typeof value !== 'string') return refuse(400, `${field} must be a string`);
    }
    const { configurationId, externalCustomerId, redirectionUrl } = body as Record<string, string>;
    const interviewId = (body.interviewId ?? undefined) as string | undefined;
    const known = interviewId === undefined ? undefined : sessions.find(interviewId);
    // Incode's behavior is not known. By default the call is refused, because a new session would hide a client's mistake.
    if (interviewId !== undefined && !known && behavior.unknownIdStart === 'refused') {
      return refuse(404, 'No such session');
    }
    if (known && behavior.knownIdStart === 'refused') return refuse(400, 'The session was already started');
    const existing = behavior.knownIdStart === 'reissued' ? known : undefined;
    const simulate = String((body.customFields as Record<string, unknown> | undefined | null)?.simulate ?? 'approved');
    const outcome = Object.hasOwn(OUTCOMES, simulate) ? OUTCOMES[simulate] : undefined;
    if (!outcome) return refuse(400, `customFields.simulate is one of ${Object.keys(OUTCOMES).join(', ')}`);
    const opened = existing
      ? await sessions.resume(existing)
      : await sessions.open({
          ...outcome(timeScale),
          // Incode's answer before anything was captured is not known. "Processed" would lead a waiting client to complete an
          // empty session.
          processedAfterMs: null,
          ...omitUndefined({
            flowId: configurationId,
            externalCustomerId: externalCustomerId || undefined,
            redirectionUrl: redirectionUrl || undefined,
          }),
        });
    return ok({
      token: opened.token,
      interviewId: opened.interviewId,
      interviewCode: opened.interviewId.slice(-8),
      flowType: 'flow',
      idCaptureTimeout: 10,
      selfieCaptureTimeout: 10,
      idCaptureRetries: 3,
      selfieCaptureRetries: 3,
      clientId: 'simulator',
      env: 'demo',
      existingSession: existing !== undefined,
    });
  },
};
