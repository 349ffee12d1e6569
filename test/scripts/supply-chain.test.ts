import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dependencyProblems } from '../../scripts/check-dependencies.js';
import { contentProblems, contentSummary } from '../../scripts/package-contents.js';
import { releaseProblems } from '../../scripts/release-problems.js';

describe('dependencyProblems', () => {
  const fine = { version: '1.0.0', integrity: 'sha512-x', license: 'MIT' };
  const problemsOf = (packages: Record<string, object>) => dependencyProblems({ packages }).problems;

  it('finds nothing wrong with good packages, and does not check development dependencies', () => {
    const packages = { '': {}, 'node_modules/a': fine, 'node_modules/b': { ...fine, dev: true, license: 'GPL-3.0' } };
    expect(dependencyProblems({ packages })).toEqual({ problems: [], shipped: 1 });
  });

  it.each([
    ['no integrity', { integrity: undefined }, /has no integrity/],
    ['a git repository', { resolved: 'git+ssh://git@example.com/a.git' }, /does not come from the registry/],
    ['a tarball', { resolved: 'https://example.com/a.tgz' }, /does not come from the registry/],
    ['a license that is not on the list', { license: 'GPL-3.0' }, /license GPL-3\.0 is not on the list/],
    ['no license', { license: undefined }, /license unknown/],
    ['an install script', { hasInstallScript: true }, /runs code while it is installed/],
  ])('finds %s', (_, change, problem) => {
    expect(problemsOf({ 'node_modules/a': { ...fine, ...change } })).toEqual([expect.stringMatching(problem)]);
  });

  it('allows the install script of protobufjs 7 in any directory', () => {
    const script = { ...fine, hasInstallScript: true };
    const at = 'node_modules/x/node_modules/protobufjs';
    expect(problemsOf({ [at]: { ...script, version: '7.6.0' } })).toEqual([]);
    expect(problemsOf({ [at]: { ...script, version: '8.0.0' } })).toHaveLength(1);
    expect(problemsOf({ 'node_modules/other': { ...script, version: '7.6.0' } })).toHaveLength(1);
  });
});

describe('contentProblems', () => {
  const both = [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'schema/contract.json',
    'ops/alerts.yml',
    'ops/helm/Chart.yaml',
  ];
  const tracked = [...both, 'src/cli/main.ts'];
  const paths = [
    ...both,
    'dist/cli/main.js',
    'dist/workflow-bundle.js',
    'dist/workflow-bundle-encrypting.js',
    ...['index.html', 'main.js', 'main.css', 'icon.svg', 'uplot-license.txt'].map((name) => `dist/console/${name}`),
  ];
  const files = (...more: string[]) => [...paths, ...more].map((path) => ({ path, size: 10 }));

  it('finds nothing wrong with the right files', () => {
    expect(contentProblems(files('dist/cli/main.d.ts'), 1_000, tracked)).toEqual([]);
  });

  it.each(['.env', 'docs/notes.txt', 'dist/gone.js', 'dist/cli/main.js.map'])('finds the stray file %s', (path) => {
    expect(contentProblems(files(path), 1_000, tracked)).toEqual([
      `${path} is neither in git nor built from a file in git`,
    ]);
  });

  it('finds a missing file and a package that is too large', () => {
    const some = files().filter(({ path }) => path !== 'dist/workflow-bundle.js');
    expect(contentProblems(some, 3_000_000, tracked)).toEqual([
      'dist/workflow-bundle.js is missing',
      '3000000 bytes, more than 2000000',
    ]);
  });

  it('counts files and bytes by directory', () => {
    expect(contentSummary(files())).toMatchObject({
      'dist/': { files: 8, bytes: 80 },
      LICENSE: { files: 1, bytes: 10 },
    });
  });
});

describe('releaseProblems', () => {
  const ready = {
    manifest: { version: '1.2.3', repository: { url: 'https://example.com/x.git' } },
    changelog: '# Changes\n\n## 1.2.3\n',
    status: '',
    tags: ['v1.2.3'],
    env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://example.com' },
  };

  it('finds nothing wrong with a commit that is ready', () => {
    expect(releaseProblems(ready)).toEqual([]);
  });

  it.each([
    ['uncommitted changes', { status: ' M README.md' }, /not committed/],
    ['a missing tag', { tags: [''] }, /not tagged v1\.2\.3/],
    ['a missing entry in CHANGELOG.md', { changelog: '## 1.2.30' }, /CHANGELOG\.md has no "## 1\.2\.3"/],
    ['a missing repository URL', { manifest: { version: '1.2.3' } }, /repository\.url/],
    ['a machine that is not CI', { env: {} }, /Publish from CI/],
  ])('finds %s', (_, change, problem) => {
    expect(releaseProblems({ ...ready, ...change })).toEqual([expect.stringMatching(problem)]);
  });
});

describe('workflows of GitHub Actions', () => {
  const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

  it('release.yml runs .ci/run and npm run release, and stores no token', () => {
    const workflow = text('.github/workflows/release.yml');
    expect(workflow).toMatch(/^ +- run: \.ci\/run$/m);
    expect(workflow).toMatch(/^ +- run: npm run release$/m);
    expect(workflow).toMatch(/^ +id-token: write$/m);
    expect(workflow).not.toMatch(/secrets\./);
  });

  it('test.yml tests the oldest Node that package.json allows, and those that docs/releasing.md names', () => {
    const nodes: string[] = parse(text('.github/workflows/test.yml')).jobs.test.strategy.matrix.node.map(String);
    expect(JSON.parse(text('package.json')).engines.node).toMatch(new RegExp(`^>=${nodes[0]}\\.`));
    expect(text('docs/releasing.md')).toContain(`on Node ${nodes.slice(0, -1).join(', ')} and ${nodes.at(-1)}`);
  });
});
