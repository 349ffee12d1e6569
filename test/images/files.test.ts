import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, constants, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_IMAGE_BYTES } from '../../src/contract/capture.js';
import { fileImages, fileUri, ImageError, inspectImage, pinImage, readImage } from '../../src/images/index.js';
import { BOUND_BY_MODES } from '../support/bound-by-modes.js';
import { jpeg, png } from '../support/images.js';

const CANARY = 'canary-5f3a9c0be7d1';

let directory: string;
let root: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-images-'));
  root = join(directory, 'root');
  await mkdir(join(root, 'ann'), { recursive: true });
  await writeFile(join(root, 'ann', 'front.jpg'), jpeg({ content: CANARY }));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const sources = () => [fileImages([root])];

/** What is wrong with an image, by reading and by inspecting it. Both refuse it for the same reason. */
async function refusal(uri: string, images = sources()): Promise<[problem: string, reason: string]> {
  const errors = await Promise.all(
    [readImage, inspectImage, pinImage].map((use) =>
      use(images, { uri }).then(
        () => undefined,
        (error) => error,
      ),
    ),
  );
  for (const error of errors) {
    expect(error).toBeInstanceOf(ImageError);
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(CANARY);
    expect(error.reason).not.toContain(directory);
    expect(error.problem).toBe(errors[0].problem);
  }
  return [errors[0].problem, errors[0].reason];
}

describe('fileImages', () => {
  it('reads an image below a root by relative path, by absolute path and through a link within the root', async () => {
    await symlink('ann/front.jpg', join(root, 'link.jpg'));
    for (const uri of ['file:ann/front.jpg', fileUri(join(root, 'ann', 'front.jpg')), 'file:link.jpg']) {
      expect(await readImage(sources(), { uri })).toEqual(jpeg({ content: CANARY }));
      expect(await inspectImage(sources(), { uri })).toEqual({
        type: 'jpeg',
        width: 1_200,
        height: 800,
        bytes: jpeg({ content: CANARY }).length,
      });
    }
  });

  it('reads names with spaces, percent signs and letters of every alphabet', async () => {
    const name = 'Ann 100% #1? Müller 李.jpg';
    await writeFile(join(root, name), jpeg());
    expect(await readImage(sources(), { uri: fileUri(name) })).toEqual(jpeg());
    expect(await readImage(sources(), { uri: fileUri(join(root, name)) })).toEqual(jpeg());
  });

  it.each([
    ['a parent directory', 'file:../secret.jpg'],
    ['an encoded parent directory', 'file:ann/%2e%2e/%2e%2e/secret.jpg'],
    ['a backslash', 'file:ann%5C..%5C..%5Csecret.jpg'],
    ['a NUL', 'file:ann/front.jpg%00'],
    ['a broken escape', 'file:ann/%zz.jpg'],
    ['another host', 'file://elsewhere/ann/front.jpg'],
    ['nothing', 'file:'],
  ])('refuses a path with %s', async (_, uri) => {
    await writeFile(join(directory, 'secret.jpg'), jpeg());
    expect((await refusal(uri))[0]).toBe('notAllowed');
  });

  it('refuses a file outside of the roots, by absolute path and by symbolic links of files and directories', async () => {
    await writeFile(join(directory, 'secret.jpg'), jpeg());
    await symlink(join(directory, 'secret.jpg'), join(root, 'link.jpg'));
    await symlink(directory, join(root, 'up'));
    for (const uri of [fileUri(join(directory, 'secret.jpg')), 'file:link.jpg', 'file:up/secret.jpg']) {
      expect(await refusal(uri)).toEqual(['notAllowed', 'is outside the image directories']);
    }
  });

  it('refuses a directory whose name begins like a root', async () => {
    await mkdir(`${root}2`);
    await writeFile(join(`${root}2`, 'front.jpg'), jpeg());
    expect((await refusal(fileUri(join(`${root}2`, 'front.jpg'))))[0]).toBe('notAllowed');
  });

  it('refuses a relative path that two roots have, and reads the same file through two roots', async () => {
    const other = join(directory, 'other');
    await mkdir(join(other, 'ann'), { recursive: true });
    await symlink(join(root, 'ann', 'front.jpg'), join(other, 'ann', 'front.jpg'));
    const both = [fileImages([root, other])];
    // The link in the second root leads out of it.
    expect(await readImage(both, { uri: 'file:ann/front.jpg' })).toHaveLength(jpeg({ content: CANARY }).length);
    await rm(join(other, 'ann', 'front.jpg'));
    await writeFile(join(other, 'ann', 'front.jpg'), jpeg());
    expect(await refusal('file:ann/front.jpg', both)).toEqual([
      'notAllowed',
      'is in more than one of the image directories',
    ]);
  });

  it('names a missing file, a directory, a FIFO and a socket', async () => {
    execFileSync('mkfifo', [join(root, 'fifo.jpg')]);
    const socket = createServer().listen(join(root, 'socket.jpg'));
    expect(await refusal('file:ann/gone.jpg')).toEqual(['missing', 'does not exist']);
    const reason = 'is not found, and one of the image directories does not exist';
    expect(await refusal('file:ann/gone.jpg', [fileImages([root, join(directory, 'not-mounted')])])).toEqual([
      'unreadable',
      reason,
    ]);
    expect(await refusal('file:ann/front.jpg/deeper.jpg')).toEqual(['missing', 'does not exist']);
    expect(await refusal('file:ann')).toEqual(['notAFile', 'is a directory, not a file']);
    expect(await refusal('file:fifo.jpg')).toEqual(['notAFile', 'is a FIFO, not a file']);
    expect((await refusal('file:socket.jpg'))[0]).toBe('notAFile');
    socket.close();
  });

  it('does not wait for a FIFO and does not take what somebody writes into it', async () => {
    execFileSync('mkfifo', [join(root, 'fifo.jpg')]);
    const fifo = await open(join(root, 'fifo.jpg'), constants.O_RDWR | constants.O_NONBLOCK);
    await fifo.write(CANARY);
    expect((await refusal('file:fifo.jpg'))[0]).toBe('notAFile');
    await fifo.close();
  });

  it('refuses a device', async () => {
    expect(await refusal('file:///dev/zero', [fileImages(['/dev'])])).toEqual(['notAFile', 'is a device, not a file']);
  });

  it('says that a file cannot be read by its mode', async () => {
    await chmod(join(root, 'ann', 'front.jpg'), 0o000);
    await chmod(directory, 0o755);
    // Root can read everything.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(await refusal('file:ann/front.jpg')).toEqual(['unreadable', 'cannot be read (EACCES)']);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('reads a file in a root that may not be listed', async () => {
    await chmod(root, 0o311);
    const program = `
      const { fileImages, readImage } = await import(${JSON.stringify(new URL('../../dist/images/index.js', import.meta.url))});
      const image = await readImage([fileImages([${JSON.stringify(root)}])], { uri: 'file:ann/front.jpg' });
      console.log(image.length);`;
    const [command = '', ...args] = [...BOUND_BY_MODES, process.execPath, '--input-type=module', '--eval', program];
    const output = execFileSync(command, args, { encoding: 'utf8' });
    await chmod(root, 0o755);
    expect(Number(output)).toBe(jpeg({ content: CANARY }).length);
  });

  it('never reads a file that a symbolic link out of the root has replaced', async () => {
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside', 'front.jpg'), jpeg({ content: 'stolen', bytes: 5_000 }));
    await symlink(join(directory, 'outside'), join(directory, 'link'));
    const inside = join(root, 'ann');
    let isSwapped = false;
    // Between all of the reader's steps, because each step gives way to the event loop.
    const swap = () => {
      isSwapped = !isSwapped;
      renameSync(inside, join(directory, isSwapped ? 'kept' : 'spare'));
      renameSync(join(directory, isSwapped ? 'link' : 'kept'), inside);
      if (!isSwapped) renameSync(join(directory, 'spare'), join(directory, 'link'));
    };
    const answers = new Set<string>();
    for (let round = 0; round < 200; round += 1) {
      let isOver = false;
      const reading = readImage(sources(), { uri: 'file:ann/front.jpg' })
        .then((bytes) => (bytes.includes('stolen') ? 'stolen' : 'read'))
        .catch((error) => error.problem)
        .finally(() => {
          isOver = true;
        });
      while (!isOver) {
        swap();
        await new Promise((resolve) => setImmediate(resolve));
      }
      answers.add(await reading);
    }
    expect(answers).not.toContain('stolen');
    expect(answers.size).toBeGreaterThan(1);
  });

  it('reads a file that is replaced by an equal copy again and again, or asks for a retry', async () => {
    const path = join(root, 'ann', 'front.jpg');
    const bytes = await readFile(path);
    const answers = new Set<string>();
    for (let round = 0; round < 200; round += 1) {
      let isOver = false;
      const reading = readImage(sources(), { uri: 'file:ann/front.jpg' })
        .then((read) => (read.equals(bytes) ? 'read' : 'another image'))
        .catch((error) => error.retry)
        .finally(() => {
          isOver = true;
        });
      // Between all of the reader's steps in one round of seven, so that some reads meet one copy and some meet many.
      for (let step = 0; !isOver; step += 1) {
        if (step % 7 === round % 7 || round % 7 === 0) {
          writeFileSync(`${path}.new`, bytes);
          renameSync(`${path}.new`, path);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      answers.add(await reading);
    }
    expect(answers).toContain('read');
    expect([...answers].filter((answer) => answer !== 'read' && answer !== 'soon')).toEqual([]);
  });

  it('asks for a retry of a file that is empty because it is being written again', async () => {
    await writeFile(join(root, 'ann', 'front.jpg'), '');
    expect(await refusal('file:ann/front.jpg')).toEqual(['truncated', 'is empty, or is still being written']);
  });

  it('refuses a file that is too large without reading it, also when it is sparse', async () => {
    await writeFile(join(root, 'huge.jpg'), jpeg());
    await truncate(join(root, 'huge.jpg'), 2 ** 40);
    const [problem, reason] = await refusal('file:huge.jpg');
    expect(problem).toBe('tooLarge');
    expect(reason).toContain('7,499,925 bytes');
  });

  it('accepts the largest image that fits and refuses one byte more', async () => {
    await writeFile(join(root, 'most.jpg'), jpeg({ bytes: MAX_IMAGE_BYTES }));
    expect(await readImage(sources(), { uri: 'file:most.jpg' })).toHaveLength(MAX_IMAGE_BYTES);
    await writeFile(join(root, 'more.jpg'), jpeg({ bytes: MAX_IMAGE_BYTES + 1 }));
    expect((await refusal('file:more.jpg'))[0]).toBe('tooLarge');
  });

  it.each([
    ['a JPEG', jpeg({ bytes: 300_000, metadata: 100_000 })],
    ['a small JPEG', jpeg({ bytes: 3_000 })],
    ['a PNG', png()],
  ])('finds that %s is cut off', async (_, whole) => {
    await writeFile(join(root, 'cut.jpg'), whole.subarray(0, whole.length - 20));
    expect((await refusal('file:cut.jpg'))[0]).toBe('truncated');
    await writeFile(join(root, 'cut.jpg'), whole);
    expect((await readImage(sources(), { uri: 'file:cut.jpg' })).equals(whole)).toBe(true);
  });

  it('accepts a JPEG with a video behind its end mark', async () => {
    await writeFile(join(root, 'motion.jpg'), Buffer.concat([jpeg({ bytes: 200_000 }), Buffer.alloc(500_000, 0x11)]));
    expect(await inspectImage(sources(), { uri: 'file:motion.jpg' })).toMatchObject({ type: 'jpeg', bytes: 700_000 });
  });

  it('finds that a file grows while it is read', async () => {
    const source = fileImages([root]);
    const growing = {
      schemes: ['file'],
      async open(uri: string, signal: AbortSignal) {
        const image = await source.open(uri, signal);
        appendFileSync(join(root, 'ann', 'front.jpg'), 'more');
        return image;
      },
    };
    await expect(readImage([growing], { uri: 'file:ann/front.jpg' })).rejects.toMatchObject({ problem: 'truncated' });
  });

  it.each([
    ['as large as the reference says', 0, undefined],
    ['larger than the reference says', 1, 'changed'],
    ['smaller than the reference says', -1, 'changed'],
  ])('an image of a source that does not know its size is %s', async (_, more, problem) => {
    const bytes = jpeg({ content: CANARY });
    const unknownSize = {
      schemes: ['file'],
      async open() {
        return {
          read: async function* () {
            yield bytes.subarray(0, 100);
            yield bytes.subarray(100);
          },
          close: async () => undefined,
        };
      },
    };
    const reading = readImage([unknownSize], { uri: 'file:front.jpg', bytes: bytes.length - more });
    const found = await reading.catch((error: ImageError) => error.problem);
    expect(found).toEqual(problem ?? bytes);
  });

  it('an image whose size is not that of the reference is not read', async () => {
    const unread = {
      schemes: ['file'],
      open: async () => ({
        bytes: 10,
        read: () => Promise.reject(new Error('it is read')) as never,
        close: async () => undefined,
      }),
    };
    const reading = readImage([unread], { uri: 'file:front.jpg', bytes: 11 });
    await expect(reading).rejects.toMatchObject({ problem: 'changed' });
  });

  it('pins digest and size, and refuses another image under the same name from then on', async () => {
    const uri = 'file:ann/front.jpg';
    const pinned = await pinImage(sources(), { uri });
    const original = jpeg({ content: CANARY });
    expect(pinned).toEqual({
      uri,
      bytes: original.length,
      sha256: createHash('sha256').update(original).digest('hex'),
    });
    expect(await readImage(sources(), pinned)).toEqual(original);
    // Of the same size.
    await writeFile(join(root, 'ann', 'front.jpg'), jpeg({ content: CANARY.toUpperCase() }));
    await expect(readImage(sources(), pinned)).rejects.toMatchObject({ problem: 'changed', retry: 'never' });
    await expect(pinImage(sources(), pinned)).rejects.toMatchObject({ problem: 'changed' });
    await writeFile(join(root, 'ann', 'front.jpg'), jpeg());
    for (const use of [readImage, pinImage, inspectImage]) {
      await expect(use(sources(), pinned)).rejects.toMatchObject({ problem: 'changed' });
    }
  });

  it('names a link that leads to itself', async () => {
    symlinkSync('circle.jpg', join(root, 'circle.jpg'));
    expect((await refusal('file:circle.jpg'))[0]).toBe('notAllowed');
  });

  it('closes every file', async () => {
    const before = execFileSync('ls', [`/proc/${process.pid}/fd`])
      .toString()
      .split('\n').length;
    for (let round = 0; round < 50; round += 1) {
      await readImage(sources(), { uri: 'file:ann/front.jpg' });
      await inspectImage(sources(), { uri: 'file:ann' }).catch(() => undefined);
    }
    await expect
      .poll(
        () =>
          execFileSync('ls', [`/proc/${process.pid}/fd`])
            .toString()
            .split('\n').length,
      )
      .toBeLessThan(before + 10);
  });

  it('is read by many callers with one signal without a warning of a leak', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { signal } = new AbortController();
    const images = sources();
    const reads = Array.from({ length: 30 }, () => readImage(images, { uri: 'file:ann/front.jpg' }, { signal }));
    await Promise.all(reads);
    // Node emits warnings in the next turn.
    await new Promise(setImmediate);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});
