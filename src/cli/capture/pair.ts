import { checkReference, type ImageSide } from '../../contract/capture.js';
import type { InvalidInputError } from '../../contract/index.js';

/** A person whose file names differ only in the last letter. */
export type PairedPerson = { reference: string } & Partial<Record<ImageSide, string>>;

export interface Pairing {
  people: PairedPerson[];
  /** Files that belong to no person, each with the reason. */
  leftOver: { file: string; reason: string }[];
}

const SIDES: Record<string, ImageSide> = { F: 'front', B: 'back', S: 'selfie' };

/** `NAMEF.jpg`, `NAMEB.jpg` and `NAMES.jpg`. `SIDES` accepts only a capital letter, because many names end with a small f, b or s. */
const IMAGE = /^(.+)([FBS])\.(?:jpe?g|jpe|jfif|png)$/i;

/** Pairs files whose NAME is exactly the same. `ann` does not match `ann2`. */
export function pairFiles(files: Iterable<string>): Pairing {
  const leftOver: Pairing['leftOver'] = [];
  const byName = new Map<string, [side: ImageSide, file: string][]>();
  for (const file of files) {
    if (file.startsWith('.')) {
      leftOver.push({ file, reason: 'begins with a dot, so it is a hidden file' });
      continue;
    }
    const [, name = '', letter = ''] = IMAGE.exec(file) ?? [];
    const side = SIDES[letter];
    if (!side) {
      leftOver.push({ file, reason: 'is not named NAMEF, NAMEB or NAMES with an extension of JPEG or PNG' });
      continue;
    }
    const known = byName.get(name);
    if (known) known.push([side, file]);
    else byName.set(name, [[side, file]]);
  }
  const people: PairedPerson[] = [];
  for (const [reference, images] of byName) {
    const reason = problemOf(reference, images);
    if (reason === undefined) people.push({ reference, ...Object.fromEntries(images) });
    else leftOver.push(...images.map(([, file]) => ({ file, reason })));
  }
  return { people: people.sort(byField('reference')), leftOver: leftOver.sort(byField('file')) };
}

/** Whether somebody may miss a file that begins with a dot. Others belong to the system, such as `._annF.jpg` of macOS. */
export function isHiddenImage(file: string): boolean {
  return /^\.[^_]/.test(file) && /\.(?:jpe?g|jpe|jfif|png)$/i.test(file);
}

function problemOf(reference: string, images: [side: ImageSide, file: string][]): string | undefined {
  const sides = images.map(([side]) => side);
  const twice = sides.find((side, at) => sides.indexOf(side) !== at);
  if (twice) {
    const files = images.flatMap(([side, file]) => (side === twice ? [file] : []));
    return `belongs to ${reference}, who has several files for the ${twice}: ${files.sort().join(', ')}`;
  }
  if (!sides.includes('front')) return 'has no front, which every person needs';
  try {
    checkReference(reference, 'has a name that cannot be a reference: it');
    return undefined;
  } catch (error) {
    return (error as InvalidInputError).message;
  }
}

function byField<Field extends string>(field: Field) {
  return (a: Record<Field, string>, b: Record<Field, string>) => (a[field] < b[field] ? -1 : 1);
}
