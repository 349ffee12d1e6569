// Runs every test, including those that `npm test` leaves out, then all other checks. Its last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-ci-'));

let [passed, failed] = [0, 0];
// Installs and builds first. The unit tests run once, with coverage.
for (const result of [tests('test:all', '--project=!unit*'), tests('coverage')]) {
  passed += result.passed;
  failed += result.failed;
}
for (const step of ['lint', 'typecheck', 'check']) {
  if (npm(['run', step])) passed += 1;
  else failed += 1;
}
rmSync(directory, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Each test counts as one. A skipped test does not count as passed. */
function tests(script, ...options) {
  const report = join(directory, `${script.replace(':', '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const succeeded = npm(['run', script, '--', ...options, ...reporters]);
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] } = read(report);
  if (numPendingTests > 0) console.log(`${numPendingTests} skipped`);
  // A file that cannot be loaded, or whose setup fails, contains no failed test.
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const failed = numFailedTests + unloaded.length;
  // The server did not start, an error was not handled, a branch is not covered, or there was no test.
  const otherwise = failed === 0 && (!succeeded || numPassedTests === 0);
  return { passed: numPassedTests, failed: otherwise ? 1 : failed };
}

function npm(args) {
  console.log(`\n> npm ${args.join(' ')}`);
  return spawnSync('npm', args, { cwd: root, stdio: 'inherit' }).status === 0;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}
