// Runs before `npm test` and `npm run demo`, because a fresh clone has neither dependencies nor a build.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

if (isOlder(at('node_modules', '.package-lock.json'), at('package-lock.json'))) {
  step('Installing dependencies (once, a minute or two)', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
const sources = [
  ...filesUnder(at('src')),
  ...['package.json', 'package-lock.json', 'tsconfig.json'].map((name) => at(name)),
  at('scripts', 'build.js'),
];
// The bundle is the last file that a build writes.
if (sources.some((source) => isOlder(at('dist', 'workflow-bundle.js'), source))) {
  step('Building', ['run', '--silent', 'build']);
}

function step(what, args) {
  process.stderr.write(`${what} …\n`);
  // npm's output goes to stderr, because stdout belongs to the following command.
  const npm = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (npm.error) process.stderr.write(`${npm.error.message}\n`);
  if (npm.status !== 0) {
    process.stderr.write(`${what}: failed\n`);
    process.exit(1);
  }
}

function isOlder(made, source) {
  return !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs;
}

function filesUnder(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
