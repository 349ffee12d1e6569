import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dependencyProblems } from '../../scripts/check-dependencies.js';
import { contentProblems, contentSummary } from '../../scripts/package-contents.js';
import { releaseProblems } from '../../scripts/release-problems.js';

describe('dependencyProblems', () => {
  const fine = { version: '1.0.0', integrity: 'sha512-x', license: 'MIT' };
  const problemsOf = (packages: Record<string, object>) => dependencyProblems({ packages }).problems;

  it('finds nothing in what is fine, and leaves out what is for development', () => {
    const packages = { '': {}, 'node_modules/a': fine, 'node_modules/b': { ...fine, dev: true, license: 'GPL-3.0' } };
    expect(dependencyProblems({ packages })).toEqual({ problems: [], shipped: 1 });
  });

  it.each([
    ['no integrity', { integrity: undefined }, /has no integrity/],
    ['a git repository', { resolved: 'git+ssh://git@example.com/a.git' }, /does not come from the registry/],
    ['a tarball', { resolved: 'https://example.com/a.tgz' }, /does not come from the registry/],
    ['a licence that nobody has looked at', { license: 'GPL-3.0' }, /licence GPL-3\.0 has not been looked at/],
    ['no licence', { license: undefined }, /licence unknown/],
    ['a script', { hasInstallScript: true }, /runs code while it is installed/],
  ])('finds %s', (_, change, problem) => {
    expect(problemsOf({ 'node_modules/a': { ...fine, ...change } })).toEqual([expect.stringMatching(problem)]);
  });

  it('knows the one script by name and version, wherever it lies', () => {
    const script = { ...fine, hasInstallScript: true };
    const at = 'node_modules/x/node_modules/protobufjs';
    expect(problemsOf({ [at]: { ...script, version: '7.6.0' } })).toEqual([]);
    expect(problemsOf({ [at]: { ...script, version: '8.0.0' } })).toHaveLength(1);
    expect(problemsOf({ 'node_modules/other': { ...script, version: '7.6.0' } })).toHaveLength(1);
  });
});

describe('contentProblems', () => {
  const tracked = ['LICENSE', 'README.md', 'CHANGELOG.md', 'schema/contract.json', 'src/cli/main.ts', 'docs/a.md'];
  const paths = ['LICENSE', 'README.md', 'CHANGELOG.md', 'schema/contract.json', 'dist/cli/main.js', 'docs/a.md'];
  paths.push('dist/workflow-bundle.js', 'dist/workflow-bundle-encrypting.js');
  const files = (...more: string[]) => [...paths, ...more].map((path) => ({ path, size: 10 }));

  it('finds nothing in what is fine', () => {
    expect(contentProblems(files('dist/cli/main.d.ts'), 1_000, tracked)).toEqual([]);
  });

  it.each(['.env', 'docs/notes.txt', 'dist/gone.js', 'dist/cli/main.js.map'])('finds %s', (path) => {
    expect(contentProblems(files(path), 1_000, tracked)).toEqual([`${path} is neither in git nor built from what is`]);
  });

  it('finds what is missing, and what is too large', () => {
    const some = files().filter(({ path }) => path !== 'dist/workflow-bundle.js');
    expect(contentProblems(some, 2_000_000, tracked)).toEqual([
      'dist/workflow-bundle.js is missing',
      '2000000 bytes, more than 1500000',
    ]);
  });

  it('sums up by directory', () => {
    expect(contentSummary(files())).toMatchObject({
      'dist/': { files: 3, bytes: 30 },
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

  it('lets pass what is ready', () => {
    expect(releaseProblems(ready)).toEqual([]);
  });

  it.each([
    ['changes', { status: ' M README.md' }, /not committed/],
    ['no tag', { tags: [''] }, /not tagged v1\.2\.3/],
    ['no changelog', { changelog: '## 1.2.30' }, /CHANGELOG\.md has no "## 1\.2\.3"/],
    ['no repository', { manifest: { version: '1.2.3' } }, /repository\.url/],
    ['no CI', { env: {} }, /Publish from CI/],
  ])('stops at %s', (_, change, problem) => {
    expect(releaseProblems({ ...ready, ...change })).toEqual([expect.stringMatching(problem)]);
  });
});

describe('the workflow that publishes', () => {
  const workflow = readFileSync(new URL('../../.github/workflows/release.yml', import.meta.url), 'utf8');

  it('runs what this page and the tests run, and stores no token', () => {
    expect(workflow).toMatch(/^ +- run: \.ci\/run$/m);
    expect(workflow).toMatch(/^ +- run: npm run release$/m);
    expect(workflow).toMatch(/^ +id-token: write$/m);
    expect(workflow).not.toMatch(/secrets\./);
  });
});
