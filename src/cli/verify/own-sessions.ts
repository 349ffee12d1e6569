import { createHash, randomBytes } from 'node:crypto';
import { omitUndefined } from '../../contract/omit-undefined.js';
import type { RequiredHeader } from '../../incode/headers.js';
import { readCloseSession, readStart } from '../../incode/responses.js';
import { keepSecret } from '../../secrets/index.js';
import { NoReply, type Probe } from './probe.js';
import { isSuccess, type Reply } from './reply.js';

/** A session that this run has started. */
export interface OwnSession {
  interviewId: string;
  /** The latest token. */
  token: string;
  closed: boolean;
  deleted: boolean;
  /** Why the cleanup could not close or delete it. */
  problem?: string;
}

export interface StartedReply {
  reply: Reply;
  /** The session in the answer; `undefined` for a refusal. */
  session: OwnSession | undefined;
  token: string | undefined;
}

/** The sessions of this run. Requests name only these sessions and an id that cannot exist. */
export class OwnSessions {
  readonly all: OwnSession[] = [];
  /** The `externalCustomerId` of every session, by which you find them on the dashboard. */
  readonly label = `temporal-incode-verify-${randomBytes(4).toString('hex')}`;
  /** Starts without an answer. Each may have opened a session. */
  unanswered = 0;
  private readonly probe: Probe;
  private readonly configurationId: string;
  private readonly onOpened: (session: OwnSession) => void;

  constructor(probe: Probe, configurationId: string, onOpened: (session: OwnSession) => void) {
    this.probe = probe;
    this.configurationId = configurationId;
    this.onOpened = onOpened;
  }

  /** @throws NoReply */
  async start(signal: AbortSignal, interviewId?: string): Promise<StartedReply> {
    if (signal.aborted) throw new NoReply('this run was stopped');
    const reply = await this.asked(interviewId);
    const started = isSuccess(reply) ? readStart(reply.fields) : undefined;
    if (!started) return { reply, session: undefined, token: undefined };
    const token = keepSecret(started.token);
    const known = this.all.find((session) => session.interviewId === started.interviewId);
    if (known) {
      known.token = token;
      return { reply, session: known, token };
    }
    const session = { interviewId: started.interviewId, token, closed: false, deleted: false };
    this.all.push(session);
    this.onOpened(session);
    return { reply, session, token };
  }

  /** Not aborted with the run, because the answer names a session that must be closed. */
  private async asked(interviewId: string | undefined): Promise<Reply> {
    const body = {
      configurationId: this.configurationId,
      countryCode: 'ALL',
      language: 'en-US',
      externalCustomerId: this.label,
      redirectionUrl: 'https://example.com/temporal-incode-verify',
      ...omitUndefined({ interviewId }),
    };
    try {
      return await this.probe.ask({ method: 'POST', path: '/omni/start', body });
    } catch (error) {
      if (error instanceof NoReply && error.mayTakeEffect) this.unanswered += 1;
      throw error;
    }
  }

  /** @param without the header to leave out @throws NoReply */
  async close(session: OwnSession, signal: AbortSignal, without?: RequiredHeader): Promise<Reply> {
    const { token } = session;
    const query = { action: 'Closed' };
    const request = { method: 'POST', path: '/omni/session/status/set', query, token, body: {}, signal } as const;
    const reply = await this.probe.ask({ ...request, ...omitUndefined({ without }) });
    if (isSuccess(reply) && readCloseSession(reply.fields)) session.closed = true;
    return reply;
  }

  /** Closes every session and, with an executive token, deletes it. Records problems on the session. */
  async cleanUp(executiveToken: string | undefined, signal: AbortSignal): Promise<void> {
    for (const session of this.all) {
      try {
        if (!session.closed) {
          const { status } = await this.close(session, signal);
          if (!session.closed) session.problem = `closing was answered ${status}`;
        }
        if (executiveToken) await this.delete(session, executiveToken, signal);
        if (session.deleted) delete session.problem;
      } catch (error) {
        session.problem = error instanceof NoReply ? error.message : 'something unexpected happened';
      }
    }
  }

  /** Deletes one id per request, because a call that deletes by filter would delete everything if the filter were lost. */
  private async delete(session: OwnSession, token: string, signal: AbortSignal): Promise<void> {
    const query = { interviewId: session.interviewId, keepCustomer: 'true' };
    const reply = await this.probe.ask({ method: 'DELETE', path: '/omni/interview', query, token, signal });
    if (reply.status < 300 || reply.status === 404) session.deleted = true;
    else session.problem = `deleting was answered ${reply.status}`;
  }
}

/** An interview id that Incode cannot have issued. */
export const MADE_UP_ID = '000000000000000000000000';

/** Distinguishes sessions without revealing their ids. */
export function shortHash(interviewId: string): string {
  return createHash('sha256').update(interviewId).digest('hex').slice(0, 8);
}
