import { createHash } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageReference, ImageSide } from '../../src/contract/index.js';
import { jpeg } from '../support/images.js';
import { SECRET_MARKS } from './types.js';

/** An image that the campaign has made, and whose it is. */
export interface MadeImage {
  reference: string;
  side: ImageSide;
  /** `replaced` images were handed in later. A `truncated` one must never reach Incode. */
  kind: 'original' | 'changed' | 'truncated' | 'replaced';
}

/** Synthetic images in one directory. Each has another content, so its digest tells whose it is. */
export class Images {
  /** By digest. */
  readonly made = new Map<string, MadeImage>();
  private readonly directory: string;
  private readonly originals = new Map<string, Buffer>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** @returns the reference, with its digest */
  add(image: MadeImage): Required<ImageReference> {
    const name = image.kind === 'original' ? nameOf(image) : `${this.made.size}-${nameOf(image)}`;
    const bytes = this.make(image);
    this.originals.set(name, bytes);
    this.write(name, bytes);
    return { uri: `file:${name}`, sha256: digestOf(bytes), bytes: bytes.length };
  }

  /** The image is missing, another one, or cut, until it is restored. */
  disturb(image: Pick<MadeImage, 'reference' | 'side'>, how: 'lose' | 'change' | 'truncate'): void {
    const name = nameOf(image);
    if (how === 'lose') rmSync(join(this.directory, name), { force: true });
    if (how === 'change') this.write(name, this.make({ ...image, kind: 'changed' }));
    const original = this.originals.get(name);
    if (how !== 'truncate' || !original) return;
    const cut = original.subarray(0, original.length - 20);
    this.made.set(digestOf(cut), { ...image, kind: 'truncated' });
    writeFileSync(join(this.directory, name), cut);
  }

  restore(image: Pick<MadeImage, 'reference' | 'side'>): void {
    const name = nameOf(image);
    const original = this.originals.get(name);
    if (original) this.write(name, original);
  }

  restoreAll(): void {
    for (const [name, bytes] of this.originals) this.write(name, bytes);
  }

  private make(image: MadeImage): Buffer {
    const { reference, side, kind } = image;
    const bytes = jpeg({ content: `${SECRET_MARKS.image} ${reference} ${side} ${kind} ${this.made.size}` });
    this.made.set(digestOf(bytes), image);
    return bytes;
  }

  private write(name: string, bytes: Buffer): void {
    writeFileSync(join(this.directory, `${name}.new`), bytes);
    renameSync(join(this.directory, `${name}.new`), join(this.directory, name));
  }
}

function nameOf({ reference, side }: Pick<MadeImage, 'reference' | 'side'>): string {
  return `${reference}-${side}.jpg`;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
