import type { PersonStatus, SessionStatus } from '../client/index.js';
import type { PendingCall } from '../client/pending-call.js';
import type { FinishAnswer } from '../contract/index.js';
import type { Caller } from './access.js';
import type { CallView, FinishView, PersonView, SessionView } from './types.js';

/** What a caller may see of Incode's answer. */
export function finishView(answer: FinishAnswer, caller: Caller | undefined): FinishView {
  const { action, redirectionUrl, redirectionUnsafe, confirmedBy } = answer;
  return {
    action,
    ...(caller?.scopes.includes('start') ? { redirectionUrl } : {}),
    ...(redirectionUnsafe ? { redirectionUnsafe } : {}),
    confirmedBy,
  };
}

export function sessionView(status: SessionStatus, caller: Caller | undefined): SessionView {
  const { startedAt, closedAt, state, result, call, ...known } = status;
  const withView = <T extends { finish: FinishAnswer | null }>(part: T | null) =>
    part && { ...part, finish: part.finish && finishView(part.finish, caller) };
  return {
    ...known,
    startedAt: startedAt.toISOString(),
    closedAt: closedAt?.toISOString() ?? null,
    state: withView(state),
    result: withView(result),
    call: call && callView(call),
  };
}

/** The result names the session's interview id. Incode's answers about images have no personal data. */
export function personView(status: PersonStatus, caller: Caller | undefined): PersonView {
  const { startedAt, closedAt, result, call, session, ...known } = status;
  const onboarding = result?.onboarding;
  const finish = onboarding?.finish && finishView(onboarding.finish, caller);
  return {
    ...known,
    startedAt: startedAt.toISOString(),
    closedAt: closedAt?.toISOString() ?? null,
    result: result && { ...result, onboarding: onboarding ? { ...onboarding, finish: finish ?? null } : null },
    call: call && callView(call),
    session: session && sessionView(session, caller),
  };
}

export function callView(call: PendingCall): CallView {
  return { ...call, nextAttemptAt: call.nextAttemptAt?.toISOString() ?? null };
}
