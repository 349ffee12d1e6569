import { checkedToken } from '../../client/input.js';
import { readIncodeConfig } from '../../config/index.js';
import { InvalidInputError } from '../../contract/index.js';
import { isProvenToken } from '../../contract/token-claims.js';
import { createIncodeClient, IncodeError, statusByExecutive } from '../../incode/index.js';
import { executiveToken } from '../../worker/executive.js';
import { CliError, configured, EXIT } from '../shared/exit.js';
import { readSessionToken } from '../shared/session-token.js';

export interface StatusAtIncode {
  onboardingStatus: string;
  /** Whether the answer is certainly about this session. */
  isProven: boolean;
}

/**
 * Reads a session's status from Incode by its id, which changes nothing. An executive token comes first, as in workers: it cannot belong
 * to another session.
 *
 * @throws CliError if Incode does not return a status
 */
export async function statusAtIncode(interviewId: string, tokenFile: string | undefined): Promise<StatusAtIncode> {
  const config = configured(() => readIncodeConfig());
  const sessionToken = tokenFile === undefined ? undefined : await tokenOf(interviewId, tokenFile);
  const client = createIncodeClient(config);
  try {
    const executive = executiveToken(config, client);
    if (executive) {
      const onboardingStatus = await statusByExecutive(client, executive, interviewId, new AbortController().signal);
      return { onboardingStatus, isProven: true };
    }
    if (sessionToken === undefined) throw new CliError('Neither a session token nor an executive token is given');
    const session = { interviewId, sessionToken };
    const { onboardingStatus } = await client.onboardingStatus(session);
    const { refusesForeignIds } = config;
    return { onboardingStatus, isProven: isProvenToken({ ...session, refusesForeignIds, isLookedAt: true }) };
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
