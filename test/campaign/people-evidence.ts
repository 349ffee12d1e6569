import { captureWorkflowId, type ImageSide, onboardingWorkflowId } from '../../src/contract/index.js';
import type { Call } from '../../src/testing/index.js';
import { attemptsOf, type History } from '../support/history.js';
import type { People } from './people.js';
import type { PeopleRunner } from './people-lists.js';
import type { PersonEvidence, PersonReport, PersonRun } from './people-record.js';
import type { Sessions } from './sessions.js';
import type { CampaignWorld } from './world.js';

const UPLOADS: Record<ImageSide, string> = { front: 'uploadFront', back: 'uploadBack', selfie: 'uploadSelfie' };

/** What the history of a person's workflow says. */
export function personFacts(
  history: History,
  workflowId: string,
  decrypted: string,
): Pick<PersonRun, 'asked' | 'uploadAttempts'> {
  const reference = workflowId.slice(captureWorkflowId('').length);
  // References of the campaign have no special characters but the dot.
  const ids = decrypted.match(new RegExp(`(?<=")${reference.replaceAll('.', '\\.')}~[0-9a-f]{12}(?=")`, 'g')) ?? [];
  const attempts = Object.entries(UPLOADS).map(([side, activity]) => [side, attemptsOf(history, activity)]);
  return { asked: [...new Set(ids)], uploadAttempts: Object.fromEntries(attempts) as PersonRun['uploadAttempts'] };
}

/** @returns what the result of a person, or the details of a failure, say of the sessions */
export function reportOf(facts: unknown): PersonReport | null {
  const { interviewId, suspectedOrphans, idProcessed, onboarding } = (facts ?? {}) as Partial<PersonReport> & {
    onboarding?: { outcome: string } | null;
  };
  if (interviewId === undefined || !Array.isArray(suspectedOrphans)) return null;
  return {
    interviewId,
    suspectedOrphans,
    outcome: onboarding?.outcome ?? null,
    ...(idProcessed === undefined ? {} : { idProcessed }),
  };
}

/** Sessions that people's workflows complete are judged as every other one. What happened to the person happened to them. */
export function addSessionsOfPeople(sessions: Sessions, people: People, runs: Map<string, PersonRun[]>): void {
  for (const { person, cancelled, repeated } of people.records.values()) {
    for (const { interviewId } of people.sessionsOf(person.reference)) {
      if (!runs.has(onboardingWorkflowId(interviewId))) continue;
      const record = sessions.recordOf(interviewId);
      record.cancelled ||= cancelled;
      record.repeated ||= repeated;
    }
  }
}

export function peopleEvidence(
  { simulator }: CampaignWorld,
  people: People,
  lists: PeopleRunner[],
  runs: Map<string, PersonRun[]>,
  callsBy: Map<string | null, Call[]>,
): PersonEvidence[] {
  const startsBy = new Map<string, Call[]>();
  for (const call of simulator.calls) {
    const reference = call.operation === 'start' && call.externalCustomerId?.replace(/~[0-9a-f]{12}$/, '');
    if (reference) startsBy.set(reference, [...(startsBy.get(reference) ?? []), call]);
  }
  return [...people.records.values()].map((record) => {
    const { reference } = record.person;
    const own = runs.get(captureWorkflowId(reference)) ?? [];
    return {
      record,
      runs: own.sort((a, b) => a.startedAt - b.startedAt),
      rows: lists
        .filter(({ list }) => list.people.some((person) => person.reference === reference))
        .map(({ batchId, rows }) => ({ batchId, row: rows?.get(reference) ?? null })),
      opened: people.sessionsOf(reference).map((view) => ({
        view,
        captures: simulator.captures(view.interviewId),
        calls: callsBy.get(view.interviewId) ?? [],
      })),
      starts: startsBy.get(reference) ?? [],
      images: people.images.made,
    };
  });
}
