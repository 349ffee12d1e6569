/** A session that this service opened at Incode for one of its users. */
export interface Session {
  interviewId: string;
  sessionToken: string;
}

/**
 * The session of each user. Id and token come from Incode's answer, never from a browser. Replace this map by your database: one row
 * per session, with the token encrypted.
 */
const sessions = new Map<string, Session>();

export function sessionOf(user: string): Session | undefined {
  return sessions.get(user);
}

/** Opens a session at Incode and stores it for the user. */
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
