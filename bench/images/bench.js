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

/** How fast `capture --dry-run` checks local images, and how much memory it needs for a long manifest. */
export async function run() {
  const directory = await mkdtemp(join(tmpdir(), 'temporal-incode-bench-'));
  try {
    say(`Writing ${PEOPLE * SIDES.length} images`);
    const files = await writeImages(directory);
    const [short, long] = [join(directory, 'short.csv'), join(directory, 'long.csv')];
    await writeManifest(short, PEOPLE);
    await writeManifest(long, LONG_MANIFEST);
    const perSecond = { ours: [], bare: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      perSecond.bare.push(files.length / (await readBare(files)));
      perSecond.ours.push(files.length / (await check(short)).seconds);
      say(`Round ${round + 1} of ${ROUNDS}`);
    }
    const memory = await check(long);
    const [ours, bare] = [withSpread(perSecond.ours, 0), withSpread(perSecond.bare, 0)];
    const longMb = rounded(memory.maxRssKb / 1_024, 0);
    printTable(
      'Checking local images',
      ['', 'images/s'],
      [
        ['capture --dry-run, process start included', inWords(ours)],
        ['open, read both ends, close; nothing else', inWords(bare)],
      ],
    );
    const results = { imagesPerSecond: ours, bareImagesPerSecond: bare, longManifest: { ...memory, maxRssMb: longMb } };
    const targets = [
      {
        what: 'check of local images',
        target: `${TARGET_PER_SECOND} images/s`,
        measured: `${ours.median} images/s`,
        met: ours.median >= TARGET_PER_SECOND,
      },
      {
        what: `memory for a manifest of ${LONG_MANIFEST} people`,
        target: `${TARGET_MB} MB`,
        measured: `${longMb} MB`,
        met: longMb <= TARGET_MB,
      },
    ];
    return { settings: { ROUNDS, PEOPLE, IMAGE_BYTES, LONG_MANIFEST }, results, targets };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeImages(directory) {
  await mkdir(join(directory, 'images'));
  const files = SIDES.flatMap((side) => Array.from({ length: PEOPLE }, (_, at) => join(directory, imageOf(at, side))));
  const image = syntheticImage();
  for (const file of files) await writeFile(file, image);
  return files;
}

function imageOf(person, side) {
  return join('images', `${person}-${side}.jpg`);
}

/** The headers of a JPEG of 1,200 × 800 pixels, zeros, and its end mark. */
function syntheticImage() {
  const image = Buffer.alloc(IMAGE_BYTES);
  image.set([
    0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x03, 0x20, 0x04, 0xb0, 1, 1, 0x11, 0, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0,
  ]);
  image.set([0xff, 0xd9], IMAGE_BYTES - 2);
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

async function check(manifest) {
  const startedAt = performance.now();
  const args = ['--import', MEMORY_REPORT, PROGRAM, 'capture', manifest, '--dry-run', '--json'];
  const child = spawn(process.execPath, args);
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  if (code !== 0) throw new Error(`capture --dry-run ended with ${code}: ${stderr.slice(0, 2_000)}`);
  const seconds = rounded((performance.now() - startedAt) / 1_000, 3);
  return { seconds, people: JSON.parse(stdout).people, maxRssKb: Number(/maxRSS (\d+)/.exec(stderr)?.[1]) };
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
