// `npm run release`: checks everything, then publishes with provenance. `-- --dry-run` lists what prevents it and publishes nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { releaseProblems } from './release-problems.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const isDryRun = process.argv.includes('--dry-run');
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '');

const problems = releaseProblems({
  manifest: JSON.parse(read('package.json')),
  changelog: read('CHANGELOG.md'),
  status: git('status', '--porcelain'),
  tags: git('tag', '--points-at', 'HEAD').split('\n'),
  env: process.env,
});
for (const problem of problems) console.error(problem);
if (problems.length > 0 && !isDryRun) process.exit(1);

/** Run in this order. The first failure stops the release. */
const STEPS = [
  ['npm', 'run', 'build'],
  ['npm', 'run', 'check'],
  // Users must get no known vulnerability, and installed packages must match their authors' signatures.
  ['npm', 'audit', '--omit=dev', '--audit-level=low'],
  ['npm', 'audit', 'signatures'],
  ['npm', 'publish', '--provenance', '--access', 'public', '--ignore-scripts'],
];
// A dry run makes only the steps that need no registry.
for (const [command, ...args] of isDryRun ? STEPS.slice(0, 2) : STEPS) {
  console.log(`> ${command} ${args.join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) {
    console.error(`${command} ${args.join(' ')} failed: nothing was published.`);
    process.exit(1);
  }
}
process.exitCode = problems.length > 0 ? 1 : 0;
