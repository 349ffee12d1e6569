import { captureBatch } from 'temporal-incode/client';
import { type CapturePerson, type CaptureRow, captureBatchWorkflowId, IMAGE_SIDES } from '../../src/contract/index.js';
import { type Attaching, LIBRARY_OPTIONS, ListRunner } from './lists.js';
import type { People } from './people.js';
import type { PlannedPeople } from './types.js';
import type { CampaignWorld } from './world.js';

/** Runs a list of people. */
export class PeopleRunner extends ListRunner<CaptureRow> {
  readonly list: PlannedPeople;
  protected readonly idField = 'reference';
  private readonly people: People;

  constructor(list: PlannedPeople, world: CampaignWorld, people: People, isOver: () => boolean) {
    super(list, world, isOver);
    this.list = list;
    this.people = people;
  }

  protected get length(): number {
    return this.list.people.length;
  }

  protected shardId(shard: number): string {
    return captureBatchWorkflowId(this.list.batchId, shard);
  }

  protected async open(): Promise<unknown[]> {
    const people = this.list.people.map((person) => this.people.open(person, 'list'));
    return this.list.by === 'cli' ? people.map(withPaths) : people;
  }

  protected async byLibrary(people: unknown[], how: Attaching): Promise<Map<string, CaptureRow>> {
    const { batchId, plan, shardSize } = this.list;
    const rows = new Map<string, CaptureRow>();
    const items = captureBatch(this.world.onboarding, people as CapturePerson[], {
      batchId,
      plan,
      shardSize,
      ...LIBRARY_OPTIONS,
      ...how,
    });
    for await (const { reference, index: _, ...row } of items) rows.set(reference, row);
    return rows;
  }

  protected commandLine(file: string): string[] {
    const { close, score, review, government, watchlist, onRefusedImage, imageDeadline } = this.list.plan;
    return [
      ...['capture', file, '--images', this.world.images],
      ...(close ? ['--close'] : []),
      ...(score === false ? ['--no-score'] : []),
      ...(review ? ['--review', review] : []),
      ...(government ? ['--government'] : []),
      ...(watchlist ? ['--watchlist'] : []),
      ...(onRefusedImage ? ['--on-refused-image', onRefusedImage] : []),
      ...(imageDeadline ? ['--image-deadline', imageDeadline] : []),
    ];
  }
}

/** A manifest names files. */
function withPaths(person: CapturePerson): object {
  const images = IMAGE_SIDES.flatMap((side) => (person[side] ? [[side, person[side].uri.slice('file:'.length)]] : []));
  return { ...person, ...Object.fromEntries(images) };
}
