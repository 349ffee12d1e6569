import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pngChunk } from '../../dist/cli/local/png.js';
import { specimen } from '../../dist/cli/local/specimen-images.js';
import { captureBatch } from '../../dist/client/index.js';
import { memoryMb } from '../lib/processes.js';
import { printTable, say } from '../lib/report.js';
import { rounded } from '../lib/statistics.js';
import { startIncodeAndWorker, startServer } from '../lib/world.js';

const SIDES = ['front', 'back', 'selfie'];
const PEOPLE = 50;
/** Twice what Incode is said to allow, so that the benchmark takes half as long. */
const LIMIT = { perSecond: 2, burst: 5 };
const TIME_SCALE = 1 / 2;
/** A person uploads two sides and has the document processed. */
const DOCUMENT_REQUESTS = 3;
const TARGETS = { ratio: 1.05, halfOpen: 8, workerMb: 450 };
/** Just below what fits into a request to Incode. */
const LARGE_BYTES = 7_400_000;
const LARGE_PEOPLE = 40;

/**
 * Compares the time of a list of people with the shortest time at Incode's rate limits. Measures a worker's memory with large images.
 *
 * @param options `only: ['memory']` measures only the memory
 */
export async function run({ only = [] } = {}) {
  if (only.includes('memory')) return memoryOnly();
  const paced = await inWorld(LIMIT, (world) => pace(world));
  const large = await inWorld({ perSecond: 1_000, burst: 1_000 }, (world) => weigh(world));
  const results = { ...paced.figures, ...large.figures };
  printTable(
    `${PEOPLE} people at ${LIMIT.perSecond} requests/s about documents and ${LIMIT.perSecond} about faces, with a burst of ${LIMIT.burst}`,
    ['', ''],
    [
      ['a person alone, from the last request about the document to the result, s', results.restSeconds],
      ['shortest time for all, s', results.idealSeconds],
      ['measured, s', results.seconds],
      ['ratio', results.ratio],
      ['answered 429', results.tooMany],
      ['most sessions half open', results.halfOpen],
      ...memoryRows(results),
    ],
  );
  const { ratio, tooMany, halfOpen } = results;
  const targets = [
    {
      what: 'time against the shortest',
      target: `at most ${TARGETS.ratio}`,
      measured: String(ratio),
      met: ratio <= TARGETS.ratio,
    },
    { what: 'answered 429', target: 'none', measured: String(tooMany), met: tooMany === 0 },
    {
      what: 'sessions half open',
      target: `at most ${TARGETS.halfOpen}`,
      measured: String(halfOpen),
      met: halfOpen <= TARGETS.halfOpen,
    },
    memoryTarget(results),
  ];
  return { server: paced.server, settings: { people: PEOPLE, limit: LIMIT }, results, targets };
}

async function memoryOnly() {
  const { server, figures } = await inWorld({ perSecond: 1_000, burst: 1_000 }, (world) => weigh(world));
  printTable('Memory of a worker process, MB', ['', ''], memoryRows(figures));
  return { server, settings: { people: LARGE_PEOPLE }, results: figures, targets: [memoryTarget(figures)] };
}

function memoryRows({ idleMb, smallMb, workerMb }) {
  return [
    ['memory of a worker without work, MB', idleMb],
    [`${LARGE_PEOPLE} people with small images, at most, MB`, smallMb],
    [`${LARGE_PEOPLE} people with images of 7.4 MB, at most, MB`, workerMb],
  ];
}

function memoryTarget({ workerMb }) {
  return {
    what: 'memory of a worker',
    target: `at most ${TARGETS.workerMb} MB`,
    measured: `${workerMb} MB`,
    met: workerMb <= TARGETS.workerMb,
  };
}

/** @param measure returns figures */
async function inWorld(limit, measure) {
  const world = await startServer();
  try {
    const images = join(world.directory, 'images');
    await mkdir(images);
    const { simulator, worker } = await startIncodeAndWorker(world, {
      simulator: { timeScale: TIME_SCALE, rateLimit: { documents: limit, faces: limit } },
      env: {
        INCODE_CONFIGURATION_ID: 'bench',
        INCODE_IMAGE_ROOTS: images,
        INCODE_DOCUMENT_RATE_LIMIT: String(limit.perSecond),
        INCODE_FACE_RATE_LIMIT: String(limit.perSecond),
        INCODE_PROCESS_POLL: '1500ms',
      },
    });
    return { server: world.server, figures: await measure({ ...world, images, simulator, worker }) };
  } finally {
    await world.stop();
  }
}

async function pace(world) {
  const { simulator } = world;
  await writeImages(world, (side) => specimen(side));
  say('One person alone');
  await onboard(world, 1, 'alone');
  const processed = simulator.calls.findLast(({ operation }) => operation === 'processId');
  const restSeconds = (Date.now() - processed.at) / 1_000;
  // The burst is full again.
  await new Promise((resolve) => setTimeout(resolve, (1_000 * LIMIT.burst) / LIMIT.perSecond));
  const callsBefore = simulator.calls.length;
  say(`${PEOPLE} people`);
  const seconds = await onboard(world, PEOPLE, 'all');
  const calls = simulator.calls.slice(callsBefore);
  // The last request about a document has its turn then, and the rest of what that person needs follows.
  const lastTurn = (PEOPLE * DOCUMENT_REQUESTS - LIMIT.burst) / LIMIT.perSecond;
  const idealSeconds = lastTurn + restSeconds;
  return {
    restSeconds: rounded(restSeconds, 2),
    idealSeconds: rounded(idealSeconds, 1),
    seconds: rounded(seconds, 1),
    ratio: rounded(seconds / idealSeconds, 3),
    tooMany: calls.filter(({ httpStatus }) => httpStatus === 429).length,
    halfOpen: mostHalfOpen(calls),
  };
}

async function weigh(world) {
  const { pid } = world.worker;
  const idleMb = memoryMb(pid).now;
  await writeImages(world, (side) => specimen(side));
  say(`${LARGE_PEOPLE} people with small images`);
  await onboard(world, LARGE_PEOPLE, 'small');
  const smallMb = memoryMb(pid).highest;
  // A chunk of an unknown type, which readers skip.
  const padding = pngChunk('prVt', Buffer.alloc(LARGE_BYTES));
  await writeImages(world, (side) => specimen(side, [padding]));
  say(`${LARGE_PEOPLE} people with images of 7.4 MB`);
  await onboard(world, LARGE_PEOPLE, 'large');
  return { idleMb, smallMb, workerMb: memoryMb(pid).highest };
}

async function writeImages({ images }, imageOf) {
  for (const side of SIDES) await writeFile(join(images, `${side}.png`), imageOf(side));
}

/** @returns seconds */
async function onboard({ onboarding }, count, batchId) {
  const people = Array.from({ length: count }, (_, index) => ({
    reference: `${batchId}-${index}`,
    ...Object.fromEntries(SIDES.map((side) => [side, { uri: `file:${side}.png` }])),
  }));
  const startedAt = performance.now();
  let completed = 0;
  for await (const { outcome } of captureBatch(onboarding, people, { batchId }))
    if (outcome === 'approved') completed += 1;
  if (completed !== count) throw new Error(`${completed} of ${count} people are approved`);
  return (performance.now() - startedAt) / 1_000;
}

/** The most sessions at a time that were open and had not finished. */
function mostHalfOpen(calls) {
  const change = { start: 1, finishStatus: -1 };
  let open = 0;
  return Math.max(...calls.map(({ operation }) => (open += change[operation] ?? 0)));
}
