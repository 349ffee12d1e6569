import { setTimeout as sleep } from 'node:timers/promises';
import { command } from './lists.js';
import type { Interval } from './record.js';
import { type CampaignServer, ClusterServer, LocalServer, NODES } from './servers.js';
import { type ClusterAction, SECRET_MARKS, type WorldAction } from './types.js';
import type { CampaignWorld } from './world.js';

/** A machine that cannot keep up skips the rest, so that no fault comes while the campaign drains. */
const MOST_WAITING = 2;

const LEFT_OUT = 'left out';

const REFUSED_WITHIN_MS = 60_000;

/** Runs the scheduled faults, one after the other if they concern the same process. */
export class Upheavals {
  private readonly world: CampaignWorld;
  /** The kinds of faults that happened. */
  readonly happened: string[] = [];
  /** When workers may have lost what they were doing, or could not report it. */
  readonly interruptions: Interval[] = [];
  private readonly turns = new Map<string, { last: Promise<unknown>; waiting: number }>();

  constructor(world: CampaignWorld) {
    this.world = world;
  }

  /** Resolves once the fault is over. */
  async happen(action: WorldAction): Promise<string> {
    const result = await this.perform(action);
    if (result !== LEFT_OUT) this.happened.push(action.kind);
    return result;
  }

  /** Records when workers could not report to the server. */
  private async interrupt(work: () => Promise<void>): Promise<void> {
    const interruption = { from: Date.now(), to: Number.POSITIVE_INFINITY };
    this.interruptions.push(interruption);
    await work();
    interruption.to = Date.now();
  }

  private async perform(action: WorldAction): Promise<string> {
    switch (action.kind) {
      case 'killWorker':
      case 'deployWorker':
        return this.inTurn('workers', () => this.interrupt(() => this.replaceWorkers(action)));
      case 'freezeWorker':
        return this.inTurn('frozen', () =>
          this.interrupt(async () => {
            await Promise.all(action.slots.map((slot) => this.world.workers[slot]?.freeze(action.forMs)));
          }),
        );
      case 'partition':
        return this.inTurn('partition', () =>
          this.interrupt(async () => {
            const proxies = this.world.proxies.filter((_, slot) => action.slots.includes(slot));
            for (const proxy of proxies) proxy[action.how]();
            await sleep(action.forMs);
            for (const proxy of proxies) proxy.mend();
          }),
        );
      case 'killServer':
        return this.inTurn('server', () => this.interrupt(() => stopAndStart(this.world.server, action)));
      case 'killNode':
      case 'restartNode':
      case 'freezeNode':
      case 'killAllNodes':
      case 'restartDatabase':
      case 'killDatabase':
        return this.inTurn('server', () => this.interrupt(() => faultOfCluster(this.cluster, action)));
      case 'upgradeServer':
        return this.inTurn('server', () => this.interrupt(() => this.cluster.upgrade()), { isRare: true });
      case 'expiredCertificate':
        return this.inTurn('workers', () => this.interrupt(() => this.expireCertificate(action)), { isRare: true });
      case 'killReceiver':
      case 'restartReceiver':
        return this.inTurn('receiver', async () => {
          await this.world.receiver.end(action.kind === 'killReceiver' ? 'SIGKILL' : 'SIGTERM');
          await sleep(action.downMs);
          this.world.receiver.start();
          await this.world.receiver.ready();
        });
      case 'outage':
        this.world.simulator.fault({ ...action.effect, times: action.calls });
        return 'begun';
      case 'wrongApiKey':
        return this.inTurn('apiKey', async () => {
          this.world.simulator.setApiKeys(['another']);
          await sleep(action.forMs);
          this.world.simulator.setApiKeys([SECRET_MARKS.apiKey]);
        });
      case 'rateLimit':
      case 'documentRateLimit':
        return this.inTurn('rateLimit', async () => {
          const limit = { perSecond: action.perSecond, burst: 5 };
          this.world.simulator.setRateLimit(action.kind === 'rateLimit' ? limit : { documents: limit });
          await sleep(action.forMs);
          this.world.simulator.setRateLimit(null);
        });
      case 'losesWebhooks':
        return this.inTurn('webhooks', async () => {
          this.world.setWebhooks(null);
          await sleep(action.forMs);
          this.world.setWebhooks(this.world.webhook);
        });
      case 'addKey':
        return this.inTurn('keys', async () => this.world.addKey());
      case 'useKey':
        return this.inTurn('keys', async () => this.world.useKey());
      case 'brokenKeysFile':
        return this.inTurn('keys', () =>
          this.interrupt(async () => {
            this.world.breakKeysFile();
            await sleep(action.forMs);
            this.world.restoreKeysFile();
          }),
        );
      case 'list':
        return `exit code ${await command(this.world, ['list', '--json'])}`;
      default:
        return action satisfies never;
    }
  }

  /** Only a worker that starts reads its certificate. On a busy machine it takes long until it connects and is refused. */
  private async expireCertificate({ slots, forMs }: { slots: number[]; forMs: number }): Promise<void> {
    this.cluster.useCertificate('expired');
    const workers = this.world.workers.filter((_, slot) => slots.includes(slot));
    await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
    for (const worker of workers) worker.start();
    await Promise.all(workers.map((worker) => worker.endedByItself(REFUSED_WITHIN_MS)));
    await sleep(forMs);
    this.cluster.useCertificate('client');
    await Promise.all(workers.map((worker) => worker.ready()));
  }

  private get cluster(): ClusterServer {
    const { server } = this.world;
    if (server instanceof ClusterServer) return server;
    throw new Error(`A ${server.kind} server has no nodes`);
  }

  /** The next fault waits until these are ready, because a campaign without workers proves nothing. */
  private async replaceWorkers({
    kind,
    slots,
    downMs,
  }: Extract<WorldAction, { kind: 'killWorker' | 'deployWorker' }>): Promise<void> {
    const workers = this.world.workers.filter((_, slot) => slots.includes(slot));
    await Promise.all(workers.map((worker) => worker.end(kind === 'killWorker' ? 'SIGKILL' : 'SIGTERM')));
    await sleep(downMs);
    for (const worker of workers) worker.start();
    await Promise.all(workers.map((worker) => worker.ready()));
  }

  /** @param isRare whether it waits in any case, because it would hardly ever get a turn among frequent faults */
  private async inTurn(what: string, work: () => Promise<void>, { isRare = false } = {}): Promise<string> {
    const { last, waiting } = this.turns.get(what) ?? { last: Promise.resolve(), waiting: 0 };
    // Each change of the keys depends on the one before.
    if (waiting >= MOST_WAITING && what !== 'keys' && !isRare) return LEFT_OUT;
    const turn = last.then(work).finally(() => {
      (this.turns.get(what) as { waiting: number }).waiting -= 1;
    });
    this.turns.set(what, { last: turn.catch(() => undefined), waiting: waiting + 1 });
    await turn;
    return 'over';
  }
}

async function stopAndStart(server: CampaignServer, { downMs }: { downMs: number }): Promise<void> {
  if (!(server instanceof LocalServer)) throw new Error(`A ${server.kind} server cannot be killed as one process`);
  await server.kill();
  await sleep(downMs);
  await server.startAgain();
}

async function faultOfCluster(
  cluster: ClusterServer,
  action: Exclude<ClusterAction, { kind: 'expiredCertificate' | 'upgradeServer' }>,
): Promise<void> {
  switch (action.kind) {
    case 'killNode':
    case 'restartNode':
      await (action.kind === 'killNode' ? cluster.kill([action.node]) : cluster.end([action.node]));
      await sleep(action.downMs);
      break;
    case 'freezeNode':
      cluster.signal(action.node, 'SIGSTOP');
      await sleep(action.forMs);
      cluster.signal(action.node, 'SIGCONT');
      break;
    case 'killAllNodes':
      await cluster.kill(NODES);
      await sleep(action.downMs);
      break;
    case 'restartDatabase':
    case 'killDatabase':
      await cluster.stopDatabase(action.kind === 'killDatabase' ? 'kill' : 'restart');
      await sleep(action.downMs);
      await cluster.startDatabase();
      break;
    default:
      action satisfies never;
  }
  // A node that loses the database or its place in the cluster for long ends itself, and is restarted as in production.
  await cluster.startAgain(cluster.endedNodes);
}
