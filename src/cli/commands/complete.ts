import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  type ConnectedOnboardingClient,
  PlanMismatchError,
  SessionCompletedError,
  SessionFailedError,
  type StartedOnboarding,
  type StartOptions,
} from '../../client/index.js';
import { checkedInput } from '../../client/input.js';
import { FAILURES, type OnboardingInput, type OnboardingResult } from '../../contract/index.js';
import { CliError, EXIT } from '../shared/exit.js';
import { type TemporalOptions, timeoutOption, withClient, withTemporalOptions } from '../shared/options.js';
import { type Progress, printFacts, printJson, scoreInWords, startProgress } from '../shared/output.js';
import { type PlanOptions, planOf, withPlanOptions } from '../shared/plan-options.js';
import { quoted } from '../shared/program.js';
import { commandFor, onSession, sessionCliError, withInterviewId } from '../shared/session.js';
import { readSessionToken } from '../shared/session-token.js';
import { untilInterrupted } from '../shared/signals.js';

interface CompleteOptions extends TemporalOptions, PlanOptions {
  interviewId: string;
  sessionTokenFile?: string;
  flowId?: string;
  ifCompleted: NonNullable<StartOptions['ifCompleted']>;
  ifPlanDiffers: NonNullable<StartOptions['ifPlanDiffers']>;
  timeout: number;
  json: boolean;
}

export function define(command: Command): void {
  withPlanOptions(withTemporalOptions(withInterviewId(command)))
    .option('--session-token-file <file>', "file with the session's token; - reads it from stdin")
    .option('--flow-id <id>', "Incode's flow, sent along with finish-status")
    .addOption(
      new Option('--if-completed <what>', 'what to do if the session is already completed')
        .choices(['refuse', 'return', 'restart'])
        .default('refuse'),
    )
    .addOption(
      new Option('--if-plan-differs <what>', 'what to do if its onboarding runs with another plan')
        .choices(['refuse', 'attach'])
        .default('refuse'),
    )
    .addOption(timeoutOption('how long to wait; the session continues', '5 minutes'))
    .option('--json', 'print the result as JSON', false)
    .addHelpText(
      'after',
      `
The token is read from a file or stdin, never from an argument, because others can see arguments in the process list.
Without a token, the worker uses its token source, if it has one.

Examples:
  $ temporal-incode complete 5f3a… --session-token-file token.txt
  $ vault read -field=token incode/5f3a… | \\
      temporal-incode complete 5f3a… --session-token-file - --json`,
    )
    .action(onSession(complete));
}

async function complete(options: CompleteOptions): Promise<void> {
  const input = await inputOf(options);
  await withClient(options, async (client) => {
    try {
      const result = await run(client, input, options);
      if (options.json) printJson(result);
      else print(result);
    } catch (error) {
      throw error instanceof SessionFailedError ? failed(error, options) : cliError(error);
    }
  });
}

async function inputOf(options: CompleteOptions): Promise<OnboardingInput> {
  const { interviewId, sessionTokenFile, flowId } = options;
  const input = {
    interviewId,
    ...(sessionTokenFile === undefined ? {} : { sessionToken: await readSessionToken(sessionTokenFile) }),
    ...(flowId === undefined ? {} : { flowId }),
    plan: planOf(options),
  };
  try {
    return checkedInput(input);
  } catch (error) {
    throw cliError(error);
  }
}

async function run(
  client: ConnectedOnboardingClient,
  input: OnboardingInput,
  options: CompleteOptions,
): Promise<OnboardingResult> {
  const { ifCompleted, ifPlanDiffers, timeout } = options;
  const started = await client.start(input, { ifCompleted, ifPlanDiffers });
  const progress = startProgress(`${started.workflowId}: ${startInWords(started)}`);
  const over = new AbortController();
  // The SDK adds a listener for each query and never removes it.
  setMaxListeners(0, over.signal);
  const watching = watch(client, input.interviewId, progress, over.signal);
  const interrupted = untilInterrupted().then(() => {
    throw new CliError(goesOn(options), EXIT.interrupted);
  });
  try {
    return await Promise.race([client.result(input.interviewId, { timeoutMs: timeout }), interrupted]);
  } finally {
    over.abort();
    // Wait for the last query before the connection is closed.
    await watching;
    progress.stop();
  }
}

function startInWords({ attached, tokenHandedIn, plan }: StartedOnboarding): string {
  if (!attached) return 'started';
  const { finishWhen, close, score, review } = plan;
  const parts = `finish when ${finishWhen}, ${close ? '' : 'not '}closed, ${score ? '' : 'not '}scored, ${review} reviews`;
  return `attached to the existing onboarding (${parts})${tokenHandedIn ? '; it needed a token and uses yours' : ''}`;
}

function goesOn(options: CompleteOptions): string {
  const [see, stop] = [commandFor('status', options), commandFor('cancel', options)];
  return `Session ${options.interviewId} continues on the server. See its state: ${see}; stop it: ${stop}`;
}

/** Each query is billed, so the interval grows. */
const FIRST_LOOK_MS = 1_000;
const LAST_LOOK_MS = 15_000;

async function watch(client: ConnectedOnboardingClient, interviewId: string, progress: Progress, over: AbortSignal) {
  for (let pause = FIRST_LOOK_MS; !over.aborted; pause = Math.min(pause * 1.5, LAST_LOOK_MS)) {
    await setTimeout(pause, undefined, { signal: over }).catch(() => undefined);
    if (!over.aborted) progress.show(await client.temporal.withAbortSignal(over, () => describe(client, interviewId)));
  }
}

async function describe(client: ConnectedOnboardingClient, interviewId: string): Promise<string> {
  try {
    const { state, call } = await client.state(interviewId);
    const stage = state ? state.stage : 'waiting for a worker';
    if (state?.waitingFor) return `${stage}: waits for ${state.waitingFor}`;
    return call?.lastFailure ? `${stage}: attempt ${call.attempt} after ${call.lastFailure.message}` : stage;
  } catch {
    // Ignored: waiting for the result reports what is wrong.
    return 'waiting for the result';
  }
}

function print(result: OnboardingResult): void {
  printFacts({
    session: result.interviewId,
    outcome: result.outcome,
    reason: result.reason,
    action: result.finish?.action,
    'confirmed by': result.finish?.confirmedBy,
    redirect: result.finish?.redirectionUrl,
    score: scoreInWords(result.score),
    status: result.onboardingStatus,
  });
}

/** A refusal may come from a status that lags behind, and a new start reads the status first. */
function failed({ message, type }: SessionFailedError, options: CompleteOptions): CliError {
  const { sessionTokenFile: file } = options;
  const token = file === undefined || file === '-' ? '' : ` --session-token-file ${quoted(file)}`;
  const hint = type === FAILURES.badRequest ? ' If somebody else has just finished it, wait a minute.' : '';
  const again = `To start it again, which reads its status first:\n  ${commandFor('complete', options)}${token}`;
  return new CliError(`${message} (${type})${hint}\n${again}`, EXIT.failed);
}

function cliError(error: unknown): unknown {
  if (error instanceof SessionCompletedError) {
    const { interviewId, outcome } = error.result;
    const next = 'Use --if-completed return to print that result.';
    return new CliError(`Session ${interviewId} is already completed: ${outcome}. ${next}`, EXIT.completedBefore);
  }
  if (error instanceof PlanMismatchError) {
    const { interviewId, differs, plan } = error;
    const inForce = differs.map((part) => `${part} is ${JSON.stringify(plan[part])}`).join(', ');
    const next = 'It continues with that plan. Use --if-plan-differs attach to wait for its result.';
    return new CliError(`Session ${interviewId} is being completed with another plan: ${inForce}. ${next}`);
  }
  return sessionCliError(error);
}
