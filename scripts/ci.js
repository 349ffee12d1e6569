// Runs every test, also those that the README's `npm test` leaves out, then everything else that has to hold. Ends with the line `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-ci-'));
const report = join(directory, 'tests.json');

let { passed, failed } = tests();
for (const step of ['lint', 'typecheck', 'build', 'coverage', 'check']) {
  if (npm(['run', step])) passed += 1;
  else failed += 1;
}
rmSync(directory, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Each test counts as one. One that was skipped has not passed. */
function tests() {
  const succeeded = npm([
    'run',
    'test:all',
    '--',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults = [] } = read(report);
  if (numPendingTests > 0) console.log(`${numPendingTests} skipped`);
  // A file that cannot be loaded, or whose setup fails, has no failed test of its own.
  const unloaded = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  const failed = numFailedTests + unloaded.length;
  // A server that does not start, an unhandled error, no test at all.
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
