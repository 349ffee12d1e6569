let named = 0;

/** A new session, with a token whose claim names it. */
export function namedSession(interviewId = `session-${++named}`): { interviewId: string; sessionToken: string } {
  return { interviewId, sessionToken: tokenNaming(interviewId) };
}

/** A JWT with the claim `interviewId`. */
export function tokenNaming(interviewId: string): string {
  return `e30.${Buffer.from(JSON.stringify({ interviewId })).toString('base64url')}.c2ln`;
}
