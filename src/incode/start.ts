import type { Call } from './caller.js';

/** Argument of `start`, which opens a session or issues a token for an existing one. */
export interface StartRequest {
  /** Incode's configuration (flow) id. */
  configurationId: string;
  /** Issues a fresh token for this session. Without it, every call opens a new session. */
  interviewId?: string;
  /** @default "ALL" */
  countryCode?: string;
  /** @default "en-US" */
  language?: string;
  /** Your own id of the person. */
  externalCustomerId?: string;
  /** Where Incode sends the person after finishing. */
  redirectionUrl?: string;
  /** Fields of your own that Incode keeps with the session. */
  customFields?: Record<string, string>;
}

/** Incode's documentation requires country and language. */
export function startCall(request: StartRequest): Omit<Call<never>, 'read'> {
  return {
    operation: 'start',
    method: 'POST',
    path: '/omni/start',
    body: { countryCode: 'ALL', language: 'en-US', ...request },
  };
}
