import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_SIDES, type ImageReference, type ImageSide } from '../../contract/index.js';
import { png } from './png.js';

// Images for the demo. Each shows the word SPECIMEN and the name of its side, and nothing else, so that nobody takes them for a document.

/** Incode needs 1,000 pixels on one side. */
const SIZE = { width: 1_200, height: 800 };

/** Pixels of the image for each pixel of a letter. */
const SCALE = 20;

/** Letters of 5 by 7 pixels, a row of 5 bits after the other. */
const LETTERS: Record<string, readonly number[]> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 17, 30, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  E: [31, 16, 16, 30, 16, 16, 31],
  F: [31, 16, 16, 30, 16, 16, 16],
  I: [14, 4, 4, 4, 4, 4, 14],
  K: [17, 18, 20, 24, 20, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 17, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 16, 14, 1, 1, 30],
  T: [31, 4, 4, 4, 4, 4, 4],
};

const LETTER_ROWS = 7;
const LETTER_COLUMNS = 5;

/** Writes the images of a person into a folder with the name of the person, and returns references to them. */
export async function writeSpecimens(directory: string, person: string): Promise<Record<ImageSide, ImageReference>> {
  await mkdir(join(directory, person), { recursive: true });
  const references = {} as Record<ImageSide, ImageReference>;
  for (const side of IMAGE_SIDES) {
    const path = `${person}/${side}.png`;
    await writeFile(join(directory, path), specimen(side));
    references[side] = { uri: `file:${path}` };
  }
  return references;
}

/** @param more chunks before the end of the PNG */
export function specimen(side: ImageSide, more: readonly Buffer[] = []): Buffer {
  const rows = Array.from({ length: SIZE.height }, () => Buffer.alloc(1 + SIZE.width / 8, 0xff));
  // Each row begins with the number of its filter, 0 for none.
  for (const row of rows) row[0] = 0;
  write(rows, 'SPECIMEN', 100);
  write(rows, side.toUpperCase(), 450);
  return png(SIZE, Buffer.concat(rows), more);
}

function write(rows: Buffer[], text: string, top: number): void {
  for (const [place, letter] of [...text].entries()) {
    for (let y = 0; y < LETTER_ROWS * SCALE; y += 1) {
      const bits = LETTERS[letter]?.[Math.floor(y / SCALE)] ?? 0;
      for (let x = 0; x < LETTER_COLUMNS * SCALE; x += 1) {
        const isInk = (bits >> (LETTER_COLUMNS - 1 - Math.floor(x / SCALE))) & 1;
        const column = 80 + place * (LETTER_COLUMNS + 1) * SCALE + x;
        if (isInk) blacken(rows[top + y] as Buffer, column);
      }
    }
  }
}

function blacken(row: Buffer, column: number): void {
  const at = 1 + (column >> 3);
  row[at] = (row[at] as number) & ~(0x80 >> (column & 7));
}
