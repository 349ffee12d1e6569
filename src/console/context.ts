import type { GatewayScope } from '../contract/gateway-settings.js';
import type { About } from '../gateway/types.js';
import type { Api } from './api.js';
import type { Connection } from './live.js';

/** What every page gets. */
export interface Context {
  api: Api;
  about: About;
  can(...scopes: GatewayScope[]): boolean;
  connection: Connection;
  /** Says something to everybody, those who do not see the page included. */
  announce(text: string): void;
}

/** A page. Its element is kept until the page is left. */
export interface View {
  title: string;
  element: HTMLElement;
  stop(): void;
}

/** Link to a page of the console. */
export const LINKS = {
  overview: '#/',
  sessions: (filter: Readonly<Record<string, string>> = {}) => {
    const query = new URLSearchParams(filter).toString();
    return query ? `#/sessions?${query}` : '#/sessions';
  },
  batches: '#/batches',
  batch: (batchId: string) => `#/batches/${encodeURIComponent(batchId)}`,
  session: (interviewId: string) => `#/sessions/${encodeURIComponent(interviewId)}`,
};

/** A workflow in Temporal's own Web UI, if the gateway knows where that is. */
export function webUiLink({ webUi }: About, workflowId: string): string | null {
  return webUi !== null && /^https?:\/\//.test(webUi) ? webUi + encodeURIComponent(workflowId) : null;
}
