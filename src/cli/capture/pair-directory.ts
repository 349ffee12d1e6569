import { access, readdir } from 'node:fs/promises';
import { stringify } from 'csv-stringify/sync';
import { counted, countedItems, formatCount } from '../../contract/counted.js';
import { openOutputFile } from '../batch/output-file.js';
import { CliError, diskProblem } from '../shared/exit.js';
import { printJson, printNotice, writeOut } from '../shared/output.js';
import { isHiddenImage, type Pairing, pairFiles } from './pair.js';

/** Writes a new manifest of the people whose images are in a directory, and names every file that it leaves out. */
export async function pair(directory: string, out: string, json: boolean): Promise<void> {
  if (out !== '-' && (await exists(out))) {
    throw new CliError(`${out} exists already, and may have been edited. Remove it, or name another file with --out.`);
  }
  const { people, leftOver } = pairFiles(await filesIn(directory, leftOverNotice));
  for (const { file, reason } of leftOver) leftOverNotice(file, reason);
  if (people.length === 0) throw new CliError(`${directory} has no image named NAMEF with its person's name`);
  // Without escapes for spreadsheets: an apostrophe would become part of a name when the manifest is read.
  const columns = ['reference', 'front', 'back', 'selfie'];
  const text = stringify(people, { header: true, columns });
  if (out === '-') await writeOut(text);
  else await write(out, text);
  report({ people, leftOver }, out, json);
}

function leftOverNotice(file: string, reason: string): void {
  printNotice(`Left over: ${file} ${reason}`);
}

async function filesIn(directory: string, onOther: (name: string, reason: string) => void): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const directories = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    for (const { name } of directories) onOther(`${name}/`, 'is a directory');
    const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    return files.filter((name) => !name.startsWith('.') || isHiddenImage(name));
  } catch (error) {
    throw new CliError(`--pair: cannot read ${directory}: ${diskProblem(error)}`);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function write(out: string, text: string): Promise<void> {
  const file = await openOutputFile(out);
  try {
    await file.append(text);
    await file.commit();
  } finally {
    await file.discard();
  }
}

function report({ people, leftOver }: Pairing, out: string, json: boolean): void {
  const withoutBack = people.filter(({ back }) => !back).length;
  const withoutSelfie = people.filter(({ selfie }) => !selfie).length;
  if (json) printJson({ people: people.length, withoutBack, withoutSelfie, leftOver: leftOver.length });
  else {
    const parts = [
      countedItems(people.length, 'people'),
      `${formatCount(withoutBack)} without back`,
      `${formatCount(withoutSelfie)} without selfie`,
      `${counted(leftOver.length, 'file')} left over`,
    ];
    printNotice(`${parts.join(', ')}${out === '-' ? '' : `. Written to ${out}`}.`);
  }
}
