/** A session that this service has opened at Incode for one of its users. */
export interface Session {
  interviewId: string;
  sessionToken: string;
}

/**
 * Which user has which session. The id and the token come from Incode's answer and from here only, never from a browser. Keep them in
 * your database instead, in one row, the token encrypted.
 */
const sessions = new Map<string, Session>();

export function sessionOf(user: string): Session | undefined {
  return sessions.get(user);
}

/** Opens a session at Incode, and keeps whose it is. */
export async function openSession(user: string): Promise<Session> {
  const { INCODE_BASE_URL, INCODE_API_KEY = '', INCODE_CONFIGURATION_ID = 'demo' } = process.env;
  const answer = await fetch(`${INCODE_BASE_URL}/omni/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'api-version': '1.0', 'x-api-key': INCODE_API_KEY },
    body: JSON.stringify({
      configurationId: INCODE_CONFIGURATION_ID,
      countryCode: 'ALL',
      language: 'en-US',
      redirectionUrl: 'https://example.com/next',
    }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`Incode opened no session: ${answer.status}`);
  const { interviewId, token } = (await answer.json()) as { interviewId: string; token: string };
  const session = { interviewId, sessionToken: token };
  sessions.set(user, session);
  return session;
}
