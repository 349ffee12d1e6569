import type { Connection } from '@temporalio/client';
import type { Command } from 'commander';
import { type ConnectedOnboardingClient, SessionNotFoundError, type SessionStatus } from '../../client/index.js';
import { isExecutiveConfigured, isIncodeConfigured } from '../../config/index.js';
import type { Stage } from '../../contract/index.js';
import { type Milestone, milestoneOf } from '../../contract/milestones.js';
import { CliError, EXIT } from '../shared/exit.js';
import { printable, printFacts, printJson, scoreInWords } from '../shared/output.js';
import {
  commandFor,
  onSession,
  personOf,
  type SessionOptions,
  withSession,
  withSessionOptions,
} from '../shared/session.js';
import { webUiLink } from '../shared/web-ui.js';
import { statusAtIncode } from '../status/at-incode.js';
import { printPerson } from '../status/person.js';
import { workflowFacts } from '../status/workflow-facts.js';

interface StatusOptions extends SessionOptions {
  sessionTokenFile?: string;
}

export function define(command: Command): void {
  withSessionOptions(command, 'print it as JSON')
    .option('--session-token-file <file>', "file with the session's token; - reads it from stdin")
    .addHelpText(
      'after',
      `
The id may also be the reference of a person from images.

A session that a batch completes has no separate workflow. With the workers' INCODE_BASE_URL and INCODE_API_KEY, this command asks
Incode for its status, which changes nothing. It needs the session's token, or the executive token of workers: INCODE_EXECUTIVE_TOKEN_FILE,
or INCODE_EXECUTIVE_EMAIL and INCODE_EXECUTIVE_PASSWORD_FILE.

Examples:
  $ temporal-incode status 5f3a…
  $ temporal-incode status 4711
  $ temporal-incode status 5f3a… --session-token-file token.txt`,
    )
    .action(onSession(status));
}

async function status(options: StatusOptions): Promise<void> {
  await withSession(options, async (client, interviewId) => {
    try {
      const found = await client.state(interviewId);
      if (options.json) printJson(found);
      else print(found, options, webUi(client, found));
    } catch (error) {
      if (!(error instanceof SessionNotFoundError)) throw error;
      const person = await personOf(client, interviewId);
      if (!person) await tellOfUnknown(error, options);
      else if (options.json) printJson(person);
      else printPerson(person, options, webUi(client, person));
    }
  });
}

/** Suggests nothing that could finish the session, because a batch may have finished it or have it in flight. */
async function tellOfUnknown(
  { interviewId, message }: SessionNotFoundError,
  { sessionTokenFile, json }: StatusOptions,
): Promise<void> {
  const unknown = `${message} No person from images has this reference either.`;
  if (!isIncodeConfigured() || (sessionTokenFile === undefined && !isExecutiveConfigured())) {
    const how =
      'To ask Incode for its status, set INCODE_BASE_URL and INCODE_API_KEY here, and add --session-token-file or set INCODE_EXECUTIVE_TOKEN_FILE.';
    throw new CliError(`${unknown}\n${how}`, EXIT.notFound);
  }
  const { onboardingStatus, isProven } = await statusAtIncode(interviewId, sessionTokenFile).catch((error: unknown) => {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`${unknown}\n${error.message}`, error.exitCode);
  });
  const caution = isProven ? null : cautionFor(interviewId);
  // The namespace has no onboarding, whatever Incode answers.
  process.exitCode = EXIT.notFound;
  if (json) {
    printJson({ interviewId, workflowId: null, onboardingStatus, caution });
    return;
  }
  printFacts({
    session: interviewId,
    workflow: 'none is known in this namespace',
    'onboarding status': `${onboardingStatus}, from Incode just now`,
    caution,
    next: isProven ? UNKNOWN_NEXT[milestoneOf(onboardingStatus)] : IN_FLIGHT,
  });
}

function cautionFor(interviewId: string): string {
  return (
    `nothing proves that the token belongs to ${interviewId}: an Incode that ignores ids answers with the status of the token's session. ` +
    'To be sure, set INCODE_EXECUTIVE_TOKEN_FILE; or set INCODE_REFUSES_FOREIGN_IDS=true if temporal-incode verify-incode says so'
  );
}

const IN_FLIGHT = 'if it is in a list, see: temporal-incode batch --status --batch-id <id>';
const UNKNOWN_NEXT: Record<Milestone, string> = {
  open: IN_FLIGHT,
  processed: IN_FLIGHT,
  expired: 'nothing: the session has expired',
  finished: 'nothing: it is finished; if a batch finished it, its results contain the outcome',
  reviewed: 'nothing: it is finished, and a person has decided',
};

function webUi({ temporal }: ConnectedOnboardingClient, { workflowId }: { workflowId: string }): string | undefined {
  const { address } = (temporal.connection as Connection).options;
  return webUiLink({ address, namespace: temporal.options.namespace, workflowId });
}

function print(found: SessionStatus, options: StatusOptions, webUi: string | undefined): void {
  const { interviewId, state, result, failure } = found;
  const { finish, score } = state ?? {};
  const [next, or] = nextSteps(found, options);
  printFacts({
    session: interviewId,
    ...workflowFacts(found, webUi),
    'onboarding status': state?.onboardingStatus,
    action: finish?.action,
    'confirmed by': finish?.confirmedBy,
    redirect: finish?.redirectionUrl,
    score: scoreInWords(score),
    closed: result?.closed === null || result === null ? null : result.closed ? 'yes' : 'no: Incode refused',
    outcome: result?.outcome,
    reason: result?.reason,
    failure: failure ? `${failure.message} (${failure.type})` : null,
    next,
    or,
  });
  for (const { at, event } of state?.timeline ?? []) process.stdout.write(`  ${at}  ${printable(event)}\n`);
}

type NextStep = (options: StatusOptions) => string;
const FINISH: NextStep = (options) => `${commandFor('finish', options)} finishes it now`;
const EXTEND: NextStep = (options) => `${commandFor('extend-deadline', options)} --by "7 days" lets it wait longer`;

const NEXT_STEPS: Partial<Record<Stage, NextStep[]>> = {
  needsToken: [(options) => commandFor('renew-token', options)],
  waiting: [FINISH, EXTEND],
  inReview: [EXTEND],
};

function nextSteps({ status, state, call }: SessionStatus, options: StatusOptions): string[] {
  if (call?.paused)
    return ["an operator has paused the call; continue it with temporal activity unpause or in Temporal's Web UI"];
  if (status === 'running') return (state && NEXT_STEPS[state.stage]?.map((step) => step(options))) ?? [];
  return status === 'completed' ? [] : [`${commandFor('complete', options)} restarts it and reads its status first`];
}
