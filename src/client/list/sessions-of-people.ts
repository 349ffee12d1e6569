import type { Client } from '@temporalio/client';
import { onboardingWorkflowId, SEARCH_ATTRIBUTES } from '../../contract/index.js';
import type { ListedPerson } from './listed.js';
import { querySessionsOf } from './query.js';

/** A person as listed, with the stage and the outcome of the session that the person's workflow has started. */
export interface PersonWithSession extends ListedPerson {
  /** Missing if no workflow of a session is known. */
  interviewId?: string;
}

/** People in one query. Their references have at most 150 characters. */
const PEOPLE_A_QUERY = 50;

/** Looks up the sessions of people, because a person's own workflow publishes only the stages in which the person waits. */
export async function withSessions(client: Client, people: ListedPerson[]): Promise<PersonWithSession[]> {
  const found: PersonWithSession[] = [];
  for (let at = 0; at < people.length; at += PEOPLE_A_QUERY) {
    found.push(...(await lookUp(client, people.slice(at, at + PEOPLE_A_QUERY))));
  }
  return found;
}

async function lookUp(client: Client, people: ListedPerson[]): Promise<PersonWithSession[]> {
  const sessions = new Map<string, Pick<PersonWithSession, 'interviewId' | 'stage' | 'outcome'>>();
  const query = querySessionsOf(people.map(({ workflowId }) => workflowId));
  for await (const { workflowId, parentExecution, searchAttributes } of client.workflow.list({ query })) {
    const attribute = (name: string) => String(searchAttributes[name]?.[0] ?? '') || null;
    sessions.set(parentExecution?.runId ?? '', {
      interviewId: workflowId.replace(onboardingWorkflowId(''), ''),
      stage: attribute(SEARCH_ATTRIBUTES.stage),
      outcome: attribute(SEARCH_ATTRIBUTES.outcome),
    });
  }
  return people.map((person) => {
    const session = sessions.get(person.runId);
    return session ? { ...person, ...session, stage: person.stage ?? session.stage } : person;
  });
}
