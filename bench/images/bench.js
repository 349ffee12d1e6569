import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { printTable, say } from '../lib/report.js';
import { inWords, rounded, withSpread } from '../lib/statistics.js';
import { runList } from './list.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const ROUNDS = 3;
const PEOPLE = 2_000;
const SIDES = ['front', 'back', 'selfie'];
const IMAGE_BYTES = 300_000;
const LONG_MANIFEST = 100_000;
const TARGET_PER_SECOND = 1_000;
const TARGET_MB = 200;
/** What the check reads of an image: its beginning and its end. */
const READ_BYTES = 65_536;

/** Loaded first. Reports the memory at the end, because the program's output is for people. */
const MEMORY_REPORT = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process.stderr.write('maxRSS ' + process.resourceUsage().maxRSS + '\\n'))",
)}`;

/** Of the long list, whose images are read three times. Their size does not matter for the memory, because they are read in parts. */
const SMALL_BYTES = 20_000;

/**
 * How fast `capture --dry-run` checks local images, and how much memory `capture` needs for a long manifest.
 *
 * @param options `only: ['list']` runs only the long list; `sessions`: people in the long manifest
 */
export async function run({ only = [], sessions: longManifest = LONG_MANIFEST } = {}) {
  return only.includes('list') ? listOnly(longManifest) : all(longManifest);
}

async function listOnly(people) {
  const { server, results, targets } = await longList(people);
  return { server, settings: { people, SMALL_BYTES }, results, targets };
}

/** Measures the memory of two clients: the first starts a list, the second attaches to it and compares all images. */
async function longList(people) {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-bench-'));
  try {
    say(`A list of ${people} people`);
    await writeImages(directory, SMALL_BYTES);
    const manifest = join(directory, 'long.csv');
    await writeManifest(manifest, people);
    const { server, started, attached } = await runList(directory, manifest, capture);
    const results = { startedList: inMb(started), attachedList: inMb(attached) };
    printTable(
      'Client of a long list',
      ['', 's', 'MB'],
      [
        [`starts ${people} people`, results.startedList.seconds, results.startedList.maxRssMb],
        ['attaches, and reads all images again', results.attachedList.seconds, results.attachedList.maxRssMb],
      ],
    );
    const targets = [
      memoryTarget(`memory to start ${people} people`, results.startedList),
      memoryTarget(`memory to attach to ${people} people and compare their images`, results.attachedList),
    ];
    return { server, results, targets };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function all(longManifest) {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-bench-'));
  try {
    say(`Writing ${PEOPLE * SIDES.length} images`);
    const files = await writeImages(directory, IMAGE_BYTES);
    const [short, long] = [join(directory, 'short.csv'), join(directory, 'long.csv')];
    await writeManifest(short, PEOPLE);
    await writeManifest(long, longManifest);
    const perSecond = { ours: [], bare: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      perSecond.bare.push(files.length / (await readBare(files)));
      perSecond.ours.push(files.length / (await check(short)).seconds);
      say(`Round ${round + 1} of ${ROUNDS}`);
    }
    const memory = inMb(await check(long));
    const [ours, bare] = [withSpread(perSecond.ours, 0), withSpread(perSecond.bare, 0)];
    printTable(
      'Checking local images',
      ['', 'images/s'],
      [
        ['capture --dry-run, process start included', inWords(ours)],
        ['open, read both ends, close; nothing else', inWords(bare)],
      ],
    );
    const list = await longList(longManifest);
    const results = { imagesPerSecond: ours, bareImagesPerSecond: bare, longManifest: memory, ...list.results };
    const targets = [
      {
        what: 'check of local images',
        target: `${TARGET_PER_SECOND} images/s`,
        measured: `${ours.median} images/s`,
        met: ours.median >= TARGET_PER_SECOND,
      },
      memoryTarget(`memory for a manifest of ${longManifest} people`, memory),
      ...list.targets,
    ];
    return {
      server: list.server,
      settings: { ROUNDS, PEOPLE, IMAGE_BYTES, SMALL_BYTES, longManifest },
      results,
      targets,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeImages(directory, bytes) {
  await mkdir(join(directory, 'images'));
  const files = SIDES.flatMap((side) => Array.from({ length: PEOPLE }, (_, at) => join(directory, imageOf(at, side))));
  const image = syntheticImage(bytes);
  for (const file of files) await writeFile(file, image);
  return files;
}

function imageOf(person, side) {
  return join('images', `${person}-${side}.jpg`);
}

/** The headers of a JPEG of 1,200 × 800 pixels, zeros, and its end mark. */
function syntheticImage(bytes) {
  const image = Buffer.alloc(bytes);
  image.set([
    0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x03, 0x20, 0x04, 0xb0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0,
  ]);
  image.set([0xff, 0xd9], bytes - 2);
  return image;
}

async function writeManifest(file, people) {
  const manifest = createWriteStream(file);
  manifest.write(`reference,${SIDES.join(',')}\n`);
  for (let person = 0; person < people; person += 1) {
    const images = SIDES.map((side) => imageOf(person % PEOPLE, side));
    if (!manifest.write(`person-${person},${images.join(',')}\n`)) await once(manifest, 'drain');
  }
  manifest.end();
  await finished(manifest);
}

function check(manifest) {
  return capture([manifest, '--dry-run', '--json']);
}

/** Runs `temporal-incode capture`. */
async function capture(args, env = {}) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--import', MEMORY_REPORT, PROGRAM, 'capture', ...args], {
    env: { ...process.env, ...env },
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`capture ended with ${code}: ${stderr.slice(0, 2_000)}`);
  const seconds = rounded((performance.now() - startedAt) / 1_000, 3);
  return { seconds, summary: JSON.parse(stdout), maxRssKb: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) };
}

function inMb({ maxRssKb, ...others }) {
  return { ...others, maxRssMb: rounded(maxRssKb / 1_024, 0) };
}

function memoryTarget(what, { maxRssMb }) {
  return { what, target: `${TARGET_MB} MB`, measured: `${maxRssMb} MB`, met: maxRssMb <= TARGET_MB };
}

/** @returns the seconds that reading the same bytes takes, with as many files at the same time */
async function readBare(files) {
  const startedAt = performance.now();
  const left = files.values();
  const reader = async () => {
    for (const file of left) {
      const handle = await open(file);
      for (const position of [0, IMAGE_BYTES - READ_BYTES]) {
        await handle.read({ buffer: Buffer.allocUnsafe(READ_BYTES), position });
      }
      await handle.close();
    }
  };
  await Promise.all(Array.from({ length: 24 }, reader));
  return (performance.now() - startedAt) / 1_000;
}
