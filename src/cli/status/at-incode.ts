import { checkedToken } from '../../client/input.js';
import { readIncodeConfig } from '../../config/index.js';
import { InvalidInputError } from '../../contract/index.js';
import { createIncodeClient, IncodeError } from '../../incode/index.js';
import { CliError, configured, EXIT } from '../shared/exit.js';
import { readSessionToken } from '../shared/session-token.js';

/**
 * Reads a session's status from Incode by its id, which changes nothing.
 *
 * @throws CliError if Incode does not return a status
 */
export async function statusAtIncode(interviewId: string, tokenFile: string): Promise<string> {
  const config = configured(() => readIncodeConfig());
  const sessionToken = await tokenOf(interviewId, tokenFile);
  const client = createIncodeClient(config);
  try {
    return (await client.onboardingStatus({ interviewId, sessionToken })).onboardingStatus;
  } catch (error) {
    if (!(error instanceof IncodeError)) throw error;
    throw new CliError(`Session ${interviewId}: cannot read its status from Incode. ${error.message}`, EXIT.notFound);
  } finally {
    await client.close();
  }
}

async function tokenOf(interviewId: string, file: string): Promise<string> {
  try {
    return checkedToken(interviewId, await readSessionToken(file));
  } catch (error) {
    throw error instanceof InvalidInputError ? new CliError(error.message) : error;
  }
}
