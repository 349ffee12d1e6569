import type { CaptureResult } from '../../contract/index.js';
import type { DemoWorld } from './scenarios.js';
import { writeSpecimens } from './specimen-images.js';

export interface PersonScenario {
  name: string;
  reference: string;
  /** Prepares faults. Each applies to the next call of its kind. */
  before?(world: DemoWorld): void;
}

/** People without a session: the worker opens one and fills it with their images. They run one after the other. */
export const PERSON_SCENARIOS: readonly PersonScenario[] = [
  { name: 'person from images', reference: 'demo-person-1' },
  {
    name: 'person, two answers lost',
    reference: 'demo-person-2',
    before: ({ simulator }) => {
      simulator.fault({ operation: 'start', kind: 'reset', effect: true });
      simulator.fault({ operation: 'processId', kind: 'reset', effect: true });
    },
  },
];

/** @returns the person's result, and whether there is exactly one session and its document was processed once */
export async function capture(
  world: DemoWorld,
  { reference, before }: PersonScenario,
): Promise<{ result: CaptureResult; isOnce: boolean }> {
  const { simulator, client, images } = world;
  const specimens = await writeSpecimens(images, reference);
  before?.(world);
  await client.people.start({ reference, configurationId: 'demo', ...specimens });
  const result = await client.people.result(reference);
  const sessions = simulator.sessions().filter(({ externalCustomerId }) => externalCustomerId?.startsWith(reference));
  const { processed } = simulator.captures(result.interviewId);
  return { result, isOnce: sessions.length === 1 && result.suspectedOrphans.length === 0 && processed.id === 1 };
}
