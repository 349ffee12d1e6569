// Checks the package as npm would publish it: what is in it, and whether every entry resolves with its types.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
  // npm 12 keys the result by package; older ones give a list.
  const { filename, files } = Array.isArray(parsed) ? parsed[0] : Object.values(parsed)[0];
  const tarball = join(directory, filename.replace('@', '').replace('/', '-'));

  check('contents', () => {
    const stray = files
      .map(({ path }) => path)
      .filter((path) => !/^(dist\/|docs\/|examples\/|ops\/|schema\/|README\.md$|LICENSE$|package\.json$)/.test(path));
    if (stray.length > 0) throw new Error(`does not belong into the package: ${stray.join(', ')}`);
    const needed = [
      'LICENSE',
      'README.md',
      'dist/cli/main.js',
      'dist/workflow-bundle.js',
      'ops/alerts.yml',
      'schema/contract.json',
    ];
    for (const file of needed) {
      if (!files.some(({ path }) => path === file)) throw new Error(`${file} is missing`);
    }
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
