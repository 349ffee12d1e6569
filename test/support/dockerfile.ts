import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Instruction {
  keyword: string;
  /** Options such as `--from=build`. */
  options: Record<string, string>;
  text: string;
}

export interface Stage {
  image: string;
  name: string | undefined;
  instructions: Instruction[];
}

/** The stages of a Dockerfile. It reads only what hadolint accepts, so it checks no syntax. */
export async function readDockerfile(path = join(ROOT, 'Dockerfile')): Promise<Stage[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => !line.startsWith('#'));
  const stages: Stage[] = [];
  for (const line of lines.join('\n').replaceAll('\\\n', ' ').split('\n').filter(Boolean)) {
    const [, keyword = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const [, options = '', text = ''] = /^((?:--\S+\s+)*)(.*)$/.exec(rest) ?? [];
    const pairs = options.split(/\s+/).filter(Boolean);
    const instruction = { keyword, options: Object.fromEntries(pairs.map(pairOf)), text: text.trim() };
    if (keyword !== 'FROM') stages.at(-1)?.instructions.push(instruction);
    else stages.push({ image: text.split(/\s+/)[0] ?? '', name: / AS (\S+)$/.exec(text)?.[1], instructions: [] });
  }
  return stages;
}

function pairOf(option: string): [string, string] {
  const [, name = '', value = ''] = /^--([^=]+)=?(.*)$/.exec(option) ?? [];
  return [name, value];
}

/** @returns the texts of all instructions with the keyword */
export function textsOf({ instructions }: Stage, keyword: string): string[] {
  return instructions.filter((instruction) => instruction.keyword === keyword).map(({ text }) => text);
}

/** @returns the variables of ENV instructions */
export function environmentOf(stage: Stage): Record<string, string> {
  const pairs = textsOf(stage, 'ENV').flatMap((text) => text.split(/\s+/));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/**
 * Carries out WORKDIR, COPY and RUN of a stage, without a container: the root of its file system is a folder.
 * @param roots the folders of the stages before, by their names
 */
export async function play({ instructions }: Stage, root: string, roots: Record<string, string>): Promise<void> {
  let directory = root;
  for (const { keyword, options, text } of instructions) {
    if (keyword === 'WORKDIR') {
      directory = join(root, text);
      await mkdir(directory, { recursive: true });
    } else if (keyword === 'COPY') {
      const paths = text.split(/\s+/);
      const to = join(directory, paths.pop() ?? '');
      for (const path of paths) await copy(join(options.from ? (roots[options.from] ?? '') : ROOT, path), to);
    } else if (keyword === 'RUN') {
      await run('sh', ['-c', text], { cwd: directory, env: withoutNpm(), maxBuffer: 2 ** 26 });
    }
  }
}

/** As COPY does: a folder's content, or a file into a folder. */
async function copy(from: string, to: string): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  const target = isFolder || !isFolderName(to) ? to : join(to, basename(from));
  await mkdir(dirname(target), { recursive: true });
  await cp(from, target, { recursive: true, verbatimSymlinks: true });
}

const isFolderName = (path: string) => path.endsWith('/');

/** Without the settings of the npm that runs the tests, but with the machine's own. */
function withoutNpm(): NodeJS.ProcessEnv {
  const isOwn = (name: string) => !/^npm_(?!config_(cache|registry|userconfig)$)/i.test(name) && name !== 'NODE_ENV';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => isOwn(name)));
}
