/** An activity of ours. */
export async function openAccount(interviewId: string): Promise<string> {
  return `account-of-${interviewId}`;
}
