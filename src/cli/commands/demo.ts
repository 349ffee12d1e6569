import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { connectOnboardingClient } from '../../client/index.js';
import { counted } from '../../contract/counted.js';
import { onboardingWorkflowId } from '../../contract/index.js';
import { type LocalTemporalServer, startIncodeSimulator } from '../../testing/index.js';
import { localWorkerEnvironment, startServer } from '../local/environment.js';
import { capture, PERSON_SCENARIOS } from '../local/people.js';
import {
  type DemoWorld,
  KILL_SCENARIOS,
  OPEN_SCENARIOS,
  SCENARIOS,
  type Scenario,
  WAITING_SCENARIOS,
} from '../local/scenarios.js';
import { startWorkerProcess } from '../local/worker-process.js';
import { CliError, EXIT, started } from '../shared/exit.js';
import { colored, type Progress, printJson, printTable, startProgress } from '../shared/output.js';
import { untilInterrupted } from '../shared/signals.js';

interface DemoOptions {
  keep: boolean;
  json: boolean;
}

interface Row {
  session: string;
  interviewId: string;
  outcome: string;
  confirmedBy: string;
  attempts: number;
  timesFinished: number;
  asExpected: boolean;
}

export function define(command: Command): void {
  command
    .option('--keep', 'keep everything running until Ctrl-C, to explore the console and the Web UI', false)
    .option('--json', 'print the rows as JSON', false)
    .addHelpText('after', '\nExample:\n  $ temporal-incode demo --keep')
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const ended = untilInterrupted();
  const interrupted = ended.then(() => {
    throw new CliError('Interrupted', EXIT.interrupted);
  });
  // Prevents an unhandled rejection when nothing awaits it yet.
  interrupted.catch(() => undefined);
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-demo-'));
  const progress = startProgress('Starting the Temporal server');
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const starting = started('The Temporal server', startServer({ uiPort: 0, onProgress: progress.show }));
    const server = await Promise.race([starting, interrupted]);
    stops.push(() => server.stop());
    const world = await Promise.race([startWorld(server, directory, progress, stops), interrupted]);
    const rows = await Promise.race([play(world, progress), interrupted]);
    progress.stop();
    const console = options.keep ? await keep(world, server, stops) : null;
    report(rows, { server, console }, options);
    if (options.keep) await ended;
  } finally {
    progress.stop();
    for (const stop of stops.reverse()) await stop();
  }
}

/** Adds sessions that wait for somebody, and starts the console to look at them. */
async function keep(world: DemoWorld, server: LocalTemporalServer, stops: (() => Promise<unknown>)[]): Promise<string> {
  for (const { session, plan, before } of OPEN_SCENARIOS) {
    const { interviewId, token } = await world.simulator.openSession(session);
    before?.(world, interviewId);
    await world.client.start({ interviewId, sessionToken: token, ...(plan ? { plan } : {}) });
  }
  const { startLocalGateway } = await import('../local/local-gateway.js');
  const gateway = await startLocalGateway(world.client, server, 0);
  stops.push(() => gateway.close());
  return gateway.url;
}

async function startWorld(
  server: LocalTemporalServer,
  directory: string,
  progress: Progress,
  stops: (() => Promise<unknown>)[],
): Promise<DemoWorld> {
  progress.show(`Temporal server ${server.version} (${server.source}); starting the Incode simulator and a worker`);
  const simulator = await startIncodeSimulator();
  stops.push(() => simulator.close());
  const env = {
    ...localWorkerEnvironment(server, simulator),
    // Shorter than Incode's 30 s, because the simulator's requests end sooner.
    INCODE_SETTLE_TIME: '2s',
    INCODE_IMAGE_ROOTS: directory,
    // Incode's limits would make the demo a minute longer.
    INCODE_DOCUMENT_RATE_LIMIT: '10',
    INCODE_FACE_RATE_LIMIT: '10',
  };
  const start = () => startWorkerProcess(env, join(directory, 'worker.log'));
  const client = await connectOnboardingClient({ address: server.address, namespace: server.namespace });
  stops.push(() => client.close());
  const { startSimulatorReceiver } = await import('../local/receiver.js');
  const receiver = await startSimulatorReceiver(client, simulator);
  stops.push(() => receiver.close());
  const world: DemoWorld = {
    simulator,
    client,
    images: directory,
    worker: await start(),
    replaceWorker: async () => {
      await world.worker.kill();
      world.worker = await start();
    },
  };
  stops.push(() => world.worker.stop());
  return world;
}

async function play(world: DemoWorld, progress: Progress): Promise<Row[]> {
  const scenarios = [...SCENARIOS, ...WAITING_SCENARIOS];
  progress.show(`Completing ${scenarios.length} sessions, and ${PERSON_SCENARIOS.length} people from images`);
  const [rows, people] = await Promise.all([
    Promise.all(scenarios.map((scenario) => playOne(world, scenario))),
    playPeople(world),
  ]);
  progress.show('Completing one more, whose worker is killed during its call (Temporal notices the loss after 10 s)');
  return [...rows, ...people, ...(await Promise.all(KILL_SCENARIOS.map((scenario) => playOne(world, scenario))))];
}

async function playOne(world: DemoWorld, { name, session, plan, before, during, expected }: Scenario): Promise<Row> {
  const { simulator, client } = world;
  const { interviewId, token } = await simulator.openSession(session);
  before?.(world, interviewId);
  await client.start({ interviewId, sessionToken: token, ...(plan ? { plan } : {}) });
  await during?.(world, interviewId);
  const { outcome, finish } = await client.result(interviewId);
  const confirmedBy = finish?.confirmedBy ?? 'none';
  const attempts = await finishAttempts(world, interviewId);
  const timesFinished = simulator.effects(interviewId).finished;
  const asExpected =
    outcome === expected.outcome &&
    confirmedBy === expected.confirmedBy &&
    attempts === expected.attempts &&
    timesFinished === 1;
  return { session: name, interviewId, outcome, confirmedBy, attempts, timesFinished, asExpected };
}

async function playPeople(world: DemoWorld): Promise<Row[]> {
  const rows: Row[] = [];
  for (const scenario of PERSON_SCENARIOS) {
    const { result, isOnce } = await capture(world, scenario);
    const { interviewId, onboarding } = result;
    const timesFinished = world.simulator.effects(interviewId).finished;
    rows.push({
      session: scenario.name,
      interviewId,
      outcome: onboarding?.outcome ?? 'none',
      confirmedBy: onboarding?.finish?.confirmedBy ?? 'none',
      attempts: await finishAttempts(world, interviewId),
      timesFinished,
      asExpected: onboarding?.outcome === 'approved' && isOnce && timesFinished === 1,
    });
  }
  return rows;
}

/** Reads the attempt number of the last attempt, because failed attempts leave no event. */
async function finishAttempts({ client }: DemoWorld, interviewId: string): Promise<number> {
  const { events } = await client.temporal.workflow.getHandle(onboardingWorkflowId(interviewId)).fetchHistory();
  const scheduled = new Set(
    events
      ?.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'finishStatus')
      .map((event) => String(event.eventId)),
  );
  return (events ?? [])
    .map((event) => event.activityTaskStartedEventAttributes)
    .filter((started) => started && scheduled.has(String(started.scheduledEventId)))
    .reduce((sum, started) => sum + (started?.attempt ?? 0), 0);
}

interface Addresses {
  server: LocalTemporalServer;
  console: string | null;
}

function report(rows: Row[], { server, console }: Addresses, { keep, json }: DemoOptions): void {
  const good = rows.every((row) => row.asExpected);
  if (!good) process.exitCode = EXIT.failed;
  if (json) {
    printJson({
      asExpected: good,
      webUi: server.uiUrl,
      console,
      server: { version: server.version, source: server.source },
      rows,
    });
    return;
  }
  printTable(
    ['session', 'outcome', 'confirmed', 'attempts', 'finished', 'as expected'],
    rows.map((row) => [
      row.session,
      colored(row.outcome),
      row.confirmedBy,
      String(row.attempts),
      counted(row.timesFinished, 'time'),
      row.asExpected ? 'yes' : 'NO',
    ]),
  );
  const open = keep ? 'until Ctrl-C' : 'stops with the demo; use --keep to explore it';
  if (console)
    process.stdout.write(`Console: ${console} (until Ctrl-C), with three more sessions that wait for somebody\n`);
  if (server.uiUrl) process.stdout.write(`Web UI: ${server.uiUrl} (${open})\n`);
  process.stdout.write(
    good ? 'All as expected, and no session was finished twice.\n' : 'Some results are not as expected.\n',
  );
}
