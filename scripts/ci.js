// Runs every test, including those that `npm test` leaves out, then all other checks. Its last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Of the message of a failed test. */
const MESSAGE_LINES = 4;
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-ci-'));

let [passed, failed] = [0, 0];
/** What failed, printed again at the end: a log of this length is often read or kept from its end. */
const failures = [];
// Installs and builds first. The unit tests run once, with coverage.
for (const result of [tests('test:all', '--project=!unit*'), tests('coverage')]) {
  passed += result.passed;
  failed += result.failed;
}
for (const step of ['lint', 'typecheck', 'check']) {
  if (npm(['run', step])) passed += 1;
  else {
    failed += 1;
    failures.push(`npm run ${step}`);
  }
}
rmSync(directory, { recursive: true, force: true });
for (const failure of failures) console.log(`FAILED ${failure}`);
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
  for (const file of testResults) failures.push(...failuresOf(file, unloaded.includes(file)));
  // The server did not start, an error was not handled, a branch is not covered, or there was no test.
  const otherwise = failed === 0 && (!succeeded || numPassedTests === 0);
  if (otherwise) failures.push(`npm run ${script}, though no test failed: see above`);
  return { passed: numPassedTests, failed: otherwise ? 1 : failed };
}

/** Each failed test with the start of its message and the first line of its stack that is in the file. */
function failuresOf({ name, message, assertionResults }, unloaded) {
  const file = relative(root, name);
  if (unloaded) return [`${file}\n    ${excerpt(message, file)}`];
  return assertionResults
    .filter((assertion) => assertion.status === 'failed')
    .map(({ fullName, failureMessages }) => `${file}: ${fullName}\n    ${excerpt(failureMessages.join('\n'), file)}`);
}

function excerpt(text, file) {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const isFrame = (line) => line.startsWith('    at ');
  const kept = [
    ...lines.filter((line) => !isFrame(line)).slice(0, MESSAGE_LINES),
    ...lines.filter((line) => isFrame(line) && line.includes(file)).slice(0, 1),
  ];
  return kept.map((line) => line.slice(0, 300)).join('\n    ');
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
