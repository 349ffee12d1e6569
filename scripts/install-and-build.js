// Run before `npm test` and `npm run demo`: right after a clone nothing is there yet, not even the dependencies.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

if (isOlder(at('node_modules', '.package-lock.json'), at('package-lock.json'))) {
  step('Installing dependencies', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}
// The bundle is the last thing that a build writes.
const sources = [...filesUnder(at('src')), at('package.json'), at('package-lock.json'), at('tsconfig.json')];
if (sources.some((source) => isOlder(at('dist', 'workflow-bundle.js'), source))) {
  step('Building', ['run', '--silent', 'build']);
}

function step(what, args) {
  process.stderr.write(`${what} …\n`);
  execFileSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd: root, stdio: ['ignore', 2, 2] });
}

function isOlder(made, source) {
  return !existsSync(made) || statSync(made).mtimeMs < statSync(source).mtimeMs;
}

function filesUnder(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
