import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../support/cli.js';
import { jpeg, png } from '../support/images.js';

let directory: string;
const at = (...names: string[]) => join(directory, ...names);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-capture-'));
  await mkdir(at('images'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function images(files: Record<string, Buffer>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) await writeFile(at('images', name), bytes);
}

describe('capture --pair', () => {
  it('writes a manifest that --dry-run accepts, and names what it leaves out', async () => {
    await images({ 'annF.jpg': jpeg(), 'annB.png': png(), 'annS.jpg': jpeg(), 'bobF.jpg': jpeg(), 'bobS.jpg': jpeg() });
    await images({ 'carB.jpg': jpeg(), 'notes.txt': Buffer.from('x'), '.DS_Store': Buffer.from('x') });
    await mkdir(at('images', 'old'));
    const paired = await run(['capture', '--pair', at('images'), '--out', at('people.csv')]);
    expect(paired).toMatchObject({ code: 0, stdout: '' });
    expect(paired.stderr.split('\n').slice(0, -1)).toEqual([
      'Left over: old/ is a directory',
      'Left over: carB.jpg has no front, which every person needs',
      'Left over: notes.txt is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG',
      `2 people, 1 without back, 0 without selfie, 2 files left over. Written to ${at('people.csv')}.`,
    ]);
    expect(await readFile(at('people.csv'), 'utf8')).toBe(
      'reference,front,back,selfie\nann,annF.jpg,annB.png,annS.jpg\nbob,bobF.jpg,,bobS.jpg\n',
    );
    const checked = await run(['capture', at('people.csv'), '--images', at('images'), '--dry-run']);
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.stdout).toMatch(
      /^2 people, 1 of them without back, 0 without selfie\.\n2 without configurationId: .*\n5 images, \d+ kB\. Batch people-[0-9a-f]{16}\.\n/,
    );
    expect(checked.stdout).toContain(
      'At least 5 s: 5 requests about documents and 4 about faces at the configured rate limits. Nothing was started.',
    );
  });

  it('writes to stdout, and finds that a directory has no image or is none', async () => {
    await images({ 'annF.jpg': jpeg() });
    const paired = await run(['capture', '--pair', at('images'), '--out', '-']);
    expect(paired).toMatchObject({ code: 0, stdout: 'reference,front,back,selfie\nann,annF.jpg,,\n' });
    expect(await run(['capture', '--pair', directory, '--out', at('people.csv')])).toMatchObject({ code: 2 });
    await writeFile(at('edited.csv'), 'reference,front\n');
    expect(await run(['capture', '--pair', at('images'), '--out', at('edited.csv')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('edited.csv exists already'),
    });
    expect(await readFile(at('edited.csv'), 'utf8')).toBe('reference,front\n');
    const missing = await run(['capture', '--pair', at('gone'), '--out', at('people.csv')]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('--pair: cannot read') });
  });
});

describe('capture --dry-run', () => {
  it('names the problem of every image with its line, and exits with 2', async () => {
    await images({
      'good.jpg': jpeg(),
      'small.jpg': jpeg({ width: 640, height: 480 }),
      'text.jpg': Buffer.from('text'),
    });
    await images({ 'cut.jpg': jpeg({ bytes: 200_000 }).subarray(0, 150_000), 'large.jpg': jpeg({ bytes: 8_000_000 }) });
    await writeFile(at('secret.jpg'), jpeg());
    await symlink(at('secret.jpg'), at('images', 'link.jpg'));
    await mkdir(at('images', 'directory.jpg'));
    const manifest = [
      'reference,front,back,selfie',
      'ann,good.jpg,,',
      'bob,gone.jpg,small.jpg,text.jpg',
      'cat,cut.jpg,large.jpg,directory.jpg',
      'dan,link.jpg,../secret.jpg,',
      'eve,https://images.example/e.jpg,s3://people/e.jpg,vault:e',
    ];
    const checked = await run(['capture', '-', '--images', at('images'), '--dry-run', '--json'], manifest.join('\n'));
    expect(checked.code).toBe(2);
    const lines = checked.stderr.split('\n').filter((line) => line.startsWith('Line'));
    expect(lines).toEqual([
      'Line 3: front file:gone.jpg does not exist',
      'Line 3: back file:small.jpg has 640 × 480 pixels. Incode needs at least 1,000 on one side',
      'Line 3: selfie file:text.jpg is not a JPEG or PNG',
      'Line 4: front file:cut.jpg is incomplete: it ended early or is still being written',
      'Line 4: back file:large.jpg has more than 7,499,925 bytes, the most that fits into a request to Incode',
      'Line 4: selfie file:directory.jpg is a directory, not a file',
      'Line 5: front file:link.jpg is outside the image directories',
      'Line 5: back file:../secret.jpg has no valid path',
      'Line 6: front https://images.example/e.jpg is at a host that is not on the list of image hosts',
      'Line 6: back s3://people/e.jpg is in a bucket that is not on the list of image buckets',
      'Line 6: selfie vault:e cannot be read: no image source is configured for its scheme',
    ]);
    expect(checked.stderr).toContain('4 people are invalid. Correct stdin or the images.');
    expect(JSON.parse(checked.stdout)).toMatchObject({
      people: 1,
      invalid: 4,
      images: 1,
      dryRun: true,
      atLeastMs: 2_000,
    });
  });

  it('says where relative paths begin if no image can be read', async () => {
    await writeFile(at('people.csv'), 'reference,front\nann,a.jpg\nbob,b.jpg\n');
    const checked = await run(['capture', at('people.csv'), '--dry-run']);
    expect(checked).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `No image can be read. Relative paths begin at ${directory}: --images names another directory.`,
      ),
    });
  });

  it('uses the configured rate limits and the directory of the manifest, and warns of shared images', async () => {
    await images({ 'a.jpg': jpeg(), 'b.jpg': jpeg() });
    await writeFile(
      at('images', 'people.ndjson'),
      '{"reference":"1","front":"a.jpg"}\n{"reference":"2","front":"a.jpg"}',
    );
    const limits = { INCODE_DOCUMENT_RATE_LIMIT: '0.1' };
    const checked = await run(['capture', at('images', 'people.ndjson'), '--dry-run'], '', limits);
    expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('At least 40 s') });
    expect(checked.stderr).toContain(
      '1 image is used by more than one person; the first is the front on line 2, file:a.jpg, which is on line 1 too. ' +
        'Check that this is meant.',
    );
    const wrong = await run(['capture', '-', '--dry-run'], 'reference\n', { INCODE_FACE_RATE_LIMIT: 'x' });
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('INCODE_FACE_RATE_LIMIT must be a number'),
    });
  });

  it.each([
    [[], 'Which manifest? Name it, or - for stdin'],
    [['people.csv', '--purge', 'all'], "argument 'all' is invalid"],
    [['people.csv', '--score-deadline', 'soon'], 'plan.scoreDeadline must be a duration'],
    [['people.csv', '--image-deadline', 'soon'], 'plan.imageDeadline must be a duration'],
    [['people.csv', '--batch-id', 'a b'], 'batchId must have 1 to 200'],
    [['people.csv', '--stop', '--pause'], 'Use only one of --stop, --pause'],
    [['--status'], '--status needs a batch: add --batch-id, or the file'],
    [['--dry-run'], 'Which manifest? Name it, or - for stdin'],
    [['--pair', '.'], 'Where to? Name a file with --out, or - for stdout'],
    [['people.csv', '--pair', '.', '--out', 'x'], '--pair takes no manifest, and no --dry-run or other action'],
    [['--pair', '.', '--out', '-', '--json'], '--out - and --json would both write to stdout'],
    [['gone.csv', '--dry-run'], 'Cannot read gone.csv: it does not exist'],
    [['package.json', '--images', 'gone'], '--images: cannot read gone: it does not exist'],
    [['package.json', '--images', 'package.json'], '--images: package.json is not a directory'],
    [['-', '--dry-run'], 'stdin is empty: it has no header'],
  ])('refuses %j and says why', async (args, message) => {
    const refused = await run(['capture', ...args]);
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
  });
});
