/** An activity of your own. */
export async function openAccount(interviewId: string): Promise<string> {
  return `account-of-${interviewId}`;
}
