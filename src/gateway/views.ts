import type { SessionStatus } from '../client/index.js';
import type { PendingCall } from '../client/pending-call.js';
import type { FinishAnswer } from '../contract/index.js';
import type { Caller } from './access.js';
import type { CallView, FinishView, SessionView } from './types.js';

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

export function callView(call: PendingCall): CallView {
  return { ...call, nextAttemptAt: call.nextAttemptAt?.toISOString() ?? null };
}
