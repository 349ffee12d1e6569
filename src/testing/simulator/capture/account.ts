import { ok } from '../answer.js';
import { isObject } from '../check.js';
import type { AccountRoute, Route } from '../route.js';
import type { SimulatedSession } from '../session.js';
import { newCaptureRecord } from './record.js';

/** Incode's clients also send `keepCustomer`, which is ignored because identities are not simulated. */
const deleteSession: Route = {
  operation: 'deleteSession',
  method: 'DELETE',
  token: 'executive',
  idParameter: 'interviewId',
  handle(session, { sessions }) {
    sessions.delete(session);
    return ok({ success: true });
  },
};

/** With `deletePiiDataOnly`, the session remains without its images and custom fields. */
const deleteSessions: AccountRoute = {
  operation: 'deleteSessions',
  method: 'DELETE',
  token: 'executive',
  isForAccount: true,
  handle({ body: { filter, config }, refuse, sessions, behavior }) {
    const ids = isObject(filter) ? filter.ids : undefined;
    if (!Array.isArray(ids) || ids.length === 0) return refuse(400, 'filter.ids is required');
    const found = ids.flatMap((id) => sessions.find(String(id)) ?? []);
    if (found.length === 0 && behavior.secondDelete === 'unknown') return refuse(404, 'No such session');
    const keepsSession = isObject(config) && config.deletePiiDataOnly === true;
    for (const session of found) {
      if (!keepsSession) sessions.delete(session);
      else session.capture = { ...newCaptureRecord(), processed: session.capture.processed };
    }
    sessions.changed();
    return ok({ success: true });
  },
};

/** The search of Incode's dashboard, which is not documented. Only `externalCustomerId` filters. */
const searchSessions: AccountRoute = {
  operation: 'searchSessions',
  method: 'POST',
  token: 'executive',
  isForAccount: true,
  handle({ body, query, refuse, sessions, behavior }) {
    const { externalCustomerId } = body;
    const hasFilter = Object.keys(body).length > 0;
    if (hasFilter && behavior.searchFilter === 'refused') return refuse(400, 'Unknown filter');
    const isApplied = behavior.searchFilter === 'applied' && typeof externalCustomerId === 'string';
    const found = sessions.of(isApplied ? externalCustomerId : undefined).reverse();
    const offset = countOf(query.get('offset'), 0);
    const limit = Math.min(countOf(query.get('limit'), DEFAULT_LIMIT), MAX_LIMIT);
    return ok({ interviews: found.slice(offset, offset + limit).map(entryOf) });
  },
};

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

function countOf(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}

function entryOf({ interviewId, externalCustomerId, onboardingStatus, openedAt }: SimulatedSession) {
  return {
    id: interviewId,
    name: 'SPECIMEN SAMPLE',
    externalCustomerId,
    onboardingStatus,
    startedAt: openedAt ?? null,
  };
}

export const ACCOUNT_ROUTES: [string, Route | AccountRoute][] = [
  ['/omni/interview', deleteSession],
  ['/omni/interviews', deleteSessions],
  ['/omni/validation-results/search/v2', searchSessions],
];
