// Checks the package as npm would publish it: its contents, and whether every entry resolves with its types.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentProblems, contentSummary } from './package-contents.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-pack-'));
let passed = 0;
let failed = 0;

try {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const packed = execFileSync(
    npm,
    ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', directory],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const parsed = JSON.parse(packed);
  // npm 12 prints an object by package name, older versions a list.
  const { filename, files, size } = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
  const tarball = join(directory, filename.replace('@', '').replace('/', '-'));

  check('contents', () => {
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
      .split('\0')
      .filter(Boolean);
    const problems = contentProblems(files, size, tracked);
    if (problems.length > 0) throw new Error(problems.join('\n        '));
    for (const [part, { files: count, bytes }] of Object.entries(contentSummary(files)))
      console.log(`        ${part.padEnd(14)} ${String(count).padStart(4)} files ${String(bytes).padStart(9)} bytes`);
  });
  check('publint', () => bin('publint', ['run', tarball, '--strict']));
  check('attw', () => bin('attw', [tarball, '--profile', 'esm-only', '--no-emoji']));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
console.log(`Package: ${passed} checks passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function check(name, run) {
  try {
    run();
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}

function bin(name, args) {
  execFileSync(join(root, 'node_modules', '.bin', name), args, { cwd: root, stdio: 'inherit' });
}
