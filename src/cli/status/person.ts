import type { PersonStatus } from '../../client/index.js';
import { IMAGE_SIDES, type ImageResult, type ImageSide, type SuspectedOrphan } from '../../contract/index.js';
import { withMeaning } from '../shared/incode-codes.js';
import { printable, printFacts } from '../shared/output.js';
import { commandFor, type SessionOptions } from '../shared/session.js';
import { workflowFacts } from './workflow-facts.js';

/** Prints where a person is, what the person waits for, and the command that helps. */
export function printPerson(found: PersonStatus, options: SessionOptions, webUi: string | undefined): void {
  const { reference, state, result, failure, session } = found;
  const interviewId = state?.interviewId ?? result?.interviewId ?? session?.interviewId;
  const images = result?.images ?? state?.images;
  const orphans = result?.suspectedOrphans ?? orphansSoFar(found);
  const onboarding = result?.onboarding;
  const [next, ...others] = nextSteps(found, options);
  printFacts({
    person: reference,
    ...workflowFacts(found, webUi),
    session: interviewId,
    'session stage': session?.state?.stage,
    'session waits for': session?.state?.waitingFor,
    ...Object.fromEntries(IMAGE_SIDES.map((side) => [side, images?.[side] && imageInWords(images[side])])),
    'unusable image': state?.unusableImage?.reason,
    'suspected orphans': orphans.map((orphan) => orphan.interviewId ?? orphan.externalCustomerId).join(', '),
    outcome: onboarding?.outcome,
    reason: onboarding?.reason,
    failure: failure ? `${failure.message} (${failure.type})` : null,
    next,
    ...(others.length > 0 ? { 'and then': others.join('; ') } : {}),
  });
  for (const { at, event } of state?.timeline ?? []) process.stdout.write(`  ${at}  ${printable(event)}\n`);
}

/** While a person runs, the last request to open a session may still be answered. */
function orphansSoFar({ status, state, call }: PersonStatus): SuspectedOrphan[] {
  const { suspectedOrphans = [], stage } = state ?? {};
  const last = suspectedOrphans.at(-1);
  const isAsking = stage === 'starting' || call?.activity === 'openSession';
  const isInFlight = status === 'running' && isAsking && last?.interviewId === null;
  return isInFlight ? suspectedOrphans.slice(0, -1) : suspectedOrphans;
}

function imageInWords({ assessment, failReason, code, failedChecks }: ImageResult): string {
  return withMeaning([assessment, failReason, code, ...failedChecks].filter((part) => part !== null).join(' '));
}

function nextSteps({ status, state, session, call }: PersonStatus, options: SessionOptions): string[] {
  if (call?.paused)
    return ["an operator has paused the call; continue it with temporal activity unpause or in Temporal's Web UI"];
  if (status === 'failed')
    return ['temporal-incode capture --retry-failed starts the person again, with the images that are there now'];
  if (status !== 'running') return [];
  if (state?.stage === 'needsImage') return state.needs.map((side) => replaceCommand(side, options));
  return session ? [commandFor('status', { ...options, interviewId: session.interviewId })] : [];
}

function replaceCommand(side: ImageSide, options: SessionOptions): string {
  return `${commandFor('replace-image', options)} --side ${side} --image PATH`;
}
