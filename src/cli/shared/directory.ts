import { stat } from 'node:fs/promises';
import { CliError, diskProblem } from './exit.js';

/** @param option names the directory. @throws CliError if it is missing, cannot be read or is no directory */
export async function checkDirectory(option: string, directory: string): Promise<void> {
  const found = await stat(directory).catch((error: unknown) => {
    throw new CliError(`${option}: cannot read ${directory}: ${diskProblem(error)}`);
  });
  if (!found.isDirectory()) throw new CliError(`${option}: ${directory} is not a directory`);
}
