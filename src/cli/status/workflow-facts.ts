import type { PersonStatus, SessionStatus } from '../../client/index.js';
import { moment } from '../shared/output.js';
import { callFacts } from './call-facts.js';

/** What `status` prints of every workflow: where it is, since when, and what it waits for. */
export function workflowFacts(found: SessionStatus | PersonStatus, webUi: string | undefined) {
  const { workflowId, status, startedAt, closedAt, state, call } = found;
  return {
    workflow: workflowId,
    status,
    'web UI': webUi,
    started: moment(startedAt),
    ended: closedAt && moment(closedAt),
    stage: state?.stage ?? (status === 'running' ? 'unknown: no worker answers; is one running?' : null),
    ...(status === 'running'
      ? { 'waits for': state?.waitingFor, deadline: state?.deadline && moment(new Date(state.deadline)) }
      : {}),
    ...callFacts(call),
  };
}
