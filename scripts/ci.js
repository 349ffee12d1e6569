// Calls the README's test command, then everything else that has to hold. Ends with the line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-ci-'));
const report = join(directory, 'tests.json');
let passed = 0;
let failed = 0;

const tests = npm(['test', '--', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`]);
const counts = read(report);
passed += counts.numPassedTests;
failed += counts.numFailedTests;
// A file that cannot be loaded, a server that does not start, no test at all: failures that no test counts.
if (tests !== 0 && counts.numFailedTests === 0) failed += 1;
if (tests === 0 && counts.numPassedTests === 0) failed += 1;
if (counts.numPendingTests > 0) console.log(`${counts.numPendingTests} skipped`);

for (const step of ['lint', 'typecheck', 'build', 'check']) {
  if (npm(['run', step]) === 0) passed += 1;
  else failed += 1;
}
rmSync(directory, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function npm(args) {
  console.log(`\n> npm ${args.join(' ')}`);
  return spawnSync('npm', args, { cwd: root, stdio: 'inherit' }).status;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
  }
}
