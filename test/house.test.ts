import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  cyclesIn,
  type Files,
  forbiddenImports,
  packagesLoadedBy,
  packagesNamedIn,
  partOf,
  type Rules,
  unusedAllowances,
  withoutComments,
} from './support/house.js';

// The imports that each part of src may have. A new part needs a line here.

const RULES: Rules = {
  contract: { ours: [], packages: [] },
  // Connections, time limits, and which addresses are on this machine: used by parts that know nothing of each other.
  network: { ours: [], packages: ['undici'] },
  // Files and functions that keep secrets out of output.
  secrets: { ours: [], packages: ['node:'] },
  // How to reach a Temporal server, what its errors mean, and what the history of a workflow says.
  temporal: {
    ours: ['contract', 'network', 'secrets'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig'],
  },
  // It imports only the options of the parts that it configures, so that each default and rule stands once.
  config: {
    ours: ['contract', 'codec', 'network', 'secrets', 'temporal', 'incode', 'activities'],
    packages: [],
  },
  // Usable alone, without Temporal.
  incode: { ours: ['contract', 'network'], packages: ['node:', 'undici'] },
  // Usable alone, without Temporal and Incode.
  images: { ours: ['contract', 'network'], packages: ['node:', 'image-dimensions', 'undici', '@aws-sdk/client-s3'] },
  activities: {
    ours: ['contract', 'images', 'incode', 'secrets', 'temporal'],
    // From the client only its errors. An activity calls the server through the worker's client.
    packages: ['@temporalio/activity', '@temporalio/client', '@temporalio/common'],
  },
  // Deterministic: no Node modules, and only types of activities.
  workflows: {
    ours: ['contract'],
    types: ['activities', 'nexus'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  // Light, because it runs in other teams' services without a worker.
  client: {
    ours: ['contract', 'codec', 'secrets', 'temporal'],
    packages: ['node:', '@temporalio/client', '@temporalio/common', 'jose'],
  },
  codec: {
    ours: ['contract', 'network', 'secrets', 'temporal'],
    packages: ['node:', '@temporalio/common', '@temporalio/proto', 'fastify', '@fastify/cors'],
  },
  // Independent of Temporal: it gets a function to call for each delivery.
  webhook: { ours: ['contract', 'network', 'secrets'], packages: ['node:', 'fastify', 'jose'] },
  // Over the client only: it keeps nothing of its own.
  gateway: {
    ours: ['contract', 'network', 'secrets', 'client'],
    packages: ['node:', 'fastify', '@fastify/rate-limit'],
  },
  // Runs in browsers.
  console: { ours: ['contract'], types: ['gateway'], packages: ['uplot'] },
  nexus: {
    ours: ['contract', 'client'],
    packages: ['nexus-rpc', '@temporalio/nexus', '@temporalio/activity', '@temporalio/client', '@temporalio/common'],
  },
  // From the SDK's worker package only the runtime, which provides the SDK's metrics.
  monitoring: {
    ours: ['contract', 'network', 'secrets'],
    types: ['config', 'incode', 'activities', 'webhook', 'gateway'],
    packages: ['node:', '@temporalio/worker', 'pino', 'prom-client'],
  },
  worker: {
    ours: [
      'contract',
      'config',
      'secrets',
      'temporal',
      'images',
      'incode',
      'activities',
      'codec',
      'nexus',
      'monitoring',
    ],
    packages: ['node:', '@temporalio/client', '@temporalio/worker'],
  },
  testing: {
    ours: ['contract', 'temporal', 'client', 'worker'],
    packages: ['node:', 'jose', 'undici', '@temporalio/client', '@temporalio/common', '@temporalio/worker'],
  },
  // No other part may import it.
  cli: {
    ours: [
      'contract',
      'config',
      'network',
      'temporal',
      'images',
      'incode',
      'client',
      'codec',
      'secrets',
      'webhook',
      'gateway',
      'worker',
      'monitoring',
      'testing',
    ],
    packages: [
      'node:',
      'commander',
      'yocto-spinner',
      'cli-progress',
      'csv-parse',
      'csv-stringify',
      '@temporalio/client',
      '@temporalio/common',
    ],
  },
};

/** Packages that must not be loaded with an entry, directly or indirectly. */
const NOT_LOADED: [entry: string, packages: RegExp][] = [
  ['contract/index', /./],
  ['workflows/activity-options', /./],
  ['incode/index', /^@temporalio/],
  // Loaded for the first image in S3.
  ['images/index', /^@temporalio|^@aws-sdk/],
  ['client/index', /^@temporalio\/(worker|workflow|activity|testing|core-bridge)|^undici$|^pino$/],
  ['webhook/index', /^@temporalio/],
  ['codec/index', /^fastify$|^@fastify/],
  // Receivers run without a worker.
  ['monitoring/receiver', /^@temporalio/],
  ['gateway/server', /^@temporalio\/(worker|workflow|activity|core-bridge)/],
  ['testing/index', /^@temporalio\/(worker|workflow|activity)/],
  // Other teams' workflows import it.
  ['nexus/index', /^(?!nexus-rpc$)/],
];

/** The parts that may need optional peer dependencies: those that run workers and servers. */
const WITH_PEERS = [
  'activities',
  'images',
  'nexus',
  'testing',
  'worker',
  'workflows',
  'codec',
  'webhook',
  'gateway',
  'monitoring',
];

/** The build puts the packages of these parts into dist, so nobody installs them. */
const BUNDLED = ['console'];

/** The only files that read `process.env`. All others get values as arguments. */
const ENVIRONMENT_READERS = [
  'src/config/index.ts',
  'src/config/capture.ts',
  'src/config/codec-server.ts',
  'src/config/gateway.ts',
  'src/config/webhook.ts',
  'src/config/unknown-variables.ts',
  // Default of an argument of `runWorker`.
  'src/worker.ts',
  // Default of an argument. Workers and clients share these variables.
  'src/codec/environment.ts',
  // Default of an argument. Temporal's own variables.
  'src/temporal/environment.ts',
  // How the program was started, which only affects its output.
  'src/cli/shared/program.ts',
  'src/cli/shared/web-ui.ts',
  // For tests of other teams, which do not use our configuration.
  'src/testing/server/index.ts',
  'src/testing/server/program.ts',
];

/** An upgrade of the SDK may break these files. Workflow code cannot import the first one. */
const SDK_INTERNALS = ['src/temporal/sdk-internals.ts', 'src/workflows/unreadable.ts'];

/** The limit for the length of a source file. */
const MAX_LINES = 260;

const root = fileURLToPath(new URL('..', import.meta.url));
const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter(Boolean);
const text = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const existing = tracked.filter((file) => {
  try {
    text(file);
    return true;
  } catch {
    return false;
  }
});
const sources: Files = Object.fromEntries(
  existing.filter((file) => /^src\/.*\.ts$/.test(file)).map((file) => [file, text(file)]),
);

describe('this repository', () => {
  it('has source files to check', () => {
    expect(Object.keys(sources)).toEqual(expect.arrayContaining(['src/contract/index.ts', 'src/worker.ts']));
  });

  it('has only the imports that RULES allows', () => {
    expect(forbiddenImports(sources, RULES)).toEqual([]);
  });

  it('has no import cycle', () => {
    expect(cyclesIn(sources)).toEqual([]);
  });

  it('has no permission in RULES that no import uses', () => {
    expect(unusedAllowances(sources, RULES)).toEqual([]);
  });

  it.each(NOT_LOADED)('loads with %s no package that matches %s', (entry, packages) => {
    const loaded = packagesLoadedBy(`src/${entry}.ts`, sources);
    expect(loaded.filter((name) => packages.test(name))).toEqual([]);
  });

  it('declares every imported package as a dependency or a peer dependency', () => {
    const { dependencies, peerDependencies } = JSON.parse(text('package.json'));
    const installed = Object.entries(sources).filter(([file]) => !BUNDLED.includes(partOf(file)));
    const light = installed.filter(([file]) => !WITH_PEERS.includes(partOf(file)));
    const declared = ['node:', ...Object.keys(dependencies)];
    expect(packagesNamedIn(Object.fromEntries(light)).filter((name) => !declared.includes(name))).toEqual([]);
    declared.push(...Object.keys(peerDependencies));
    expect(packagesNamedIn(Object.fromEntries(installed)).filter((name) => !declared.includes(name))).toEqual([]);
  });

  it('never makes HTML of text in the console', () => {
    const found = Object.keys(sources).filter(
      (file) => partOf(file) === 'console' && MAKES_HTML.test(withoutComments(sources[file] ?? '')),
    );
    expect(found).toEqual([]);
  });

  it('imports undocumented parts of the SDK only in the files of SDK_INTERNALS', () => {
    const importers = Object.keys(sources).filter((file) =>
      /@temporalio\/[\w-]+\/lib\//.test(withoutComments(sources[file] ?? '')),
    );
    expect(importers).toEqual(SDK_INTERNALS);
  });

  it('reads process.env only in the files of ENVIRONMENT_READERS', () => {
    const readers = Object.keys(sources).filter((file) =>
      /\bprocess\.env\b/.test(withoutComments(sources[file] ?? '')),
    );
    expect(readers.filter((file) => !ENVIRONMENT_READERS.includes(file))).toEqual([]);
  });

  it(`has no source file with more than ${MAX_LINES} lines`, () => {
    const long = Object.entries(sources).map(([file, source]) => [file, source.split('\n').length - 1] as const);
    expect(long.filter(([, lines]) => lines > MAX_LINES)).toEqual([]);
  });

  it('contains no path of a developer machine', () => {
    expect(existing.filter((file) => MACHINE_PATH.test(text(file)))).toEqual([]);
  });
});

const MAKES_HTML = /\b(?:innerHTML|outerHTML|insertAdjacentHTML|DOMParser|createContextualFragment|document\.write)\b/;

const MACHINE_PATH = /(?<![\w.:/-])\/(?:work|root|home|Users)\/|\b[A-Z]:\\Users\\/;

describe('forbiddenImports', () => {
  const verdict = (file: string, source: string) => forbiddenImports({ [file]: source }, RULES);

  it.each([
    ['a value', `import { Worker } from '@temporalio/worker';`],
    ['several lines', `import {\n  type A,\n  Worker,\n} from '@temporalio/worker';`],
    ['a type', `import type { Worker } from '@temporalio/worker';`],
    ['a default named type', `import type from '@temporalio/worker';`],
    ['a side effect', `import '@temporalio/worker';`],
    ['a re-export', `export { Worker } from '@temporalio/worker';`],
    ['everything', `export * from '@temporalio/worker';`],
    ['a namespace', `import * as worker from '@temporalio/worker';`],
    ['a file of the package', `import { x } from '@temporalio/worker/lib/x.js';`],
    ['import() of it', `const load = async () => await import('@temporalio/worker');`],
    ['import() over lines', `const load = () =>\n  import(\n    '@temporalio/worker'\n  );`],
    ['import() of anything', `const load = (name: string) => import(name);`],
    ['its type by import()', `type W = typeof import('@temporalio/worker');`],
    ['after a comment', `/** A comment. */\nimport { Worker } from '@temporalio/worker';`],
  ])('finds a forbidden import: %s', (_, source) => {
    expect(verdict('src/client/bad.ts', source)).toHaveLength(1);
  });

  it.each([
    ['comments', `/**\n * import { Worker } from '@temporalio/worker';\n */\n// import('@temporalio/worker')`],
    ['strings', `export const text = "begins where import 'x' from 'y' ends";`],
    ['what the table allows', `import { Client } from '@temporalio/client';\nimport { once } from 'node:events';`],
    ['its own part and the contract', `import { a } from './a.js';\nimport { b } from '../contract/index.js';`],
  ])('ignores %s', (_, source) => {
    expect(verdict('src/client/good.ts', source)).toEqual([]);
  });

  it('names the file and what it imports', () => {
    expect(verdict('src/client/bad.ts', `import type { Worker } from '@temporalio/worker';`)).toEqual([
      'src/client/bad.ts imports types of @temporalio/worker',
    ]);
  });

  it.each([
    ['contract', `import { once } from 'node:events';`],
    ['contract', `import type { IncodeError } from '../incode/index.js';`],
    ['incode', `import { ApplicationFailure } from '@temporalio/common';`],
    ['activities', `import { OnboardingClient } from '../client/index.js';`],
    ['workflows', `import { createIncodeActivities } from '../activities/index.js';`],
    ['workflows', `import { createHash } from 'node:crypto';`],
    ['client', `import { onboardingSession } from '../workflows/index.js';`],
    ['webhook', `import { Client } from '@temporalio/client';`],
    ['worker', `import { main } from './cli/main.js';`],
    ['testing', `import { main } from '../cli/main.js';`],
  ])('forbids in %s: %s', (part, source) => {
    const file = part === 'worker' ? 'src/worker.ts' : `src/${part}/bad.ts`;
    expect(verdict(file, source)).toHaveLength(1);
  });

  it('allows workflows to import types of activities', () => {
    expect(verdict('src/workflows/good.ts', `import type { A } from '../activities/index.js';`)).toEqual([]);
  });

  it('requires a rule for a new part', () => {
    expect(verdict('src/novelty/index.ts', '')).toEqual([
      'src/novelty/index.ts: novelty has no rule. Add it to RULES in test/house.test.ts',
    ]);
  });
});

describe('cyclesIn', () => {
  it('finds a cycle with a type import, and names all its files', () => {
    const files = {
      'src/client/a.ts': `import { b } from './b.js';`,
      'src/client/b.ts': `import type { C } from './c.js';`,
      'src/client/c.ts': `import { b } from './b.js';`,
    };
    expect(cyclesIn(files)).toEqual([['src/client/b.ts', 'src/client/c.ts']]);
  });
});

describe('unusedAllowances', () => {
  it('names a part and a package that no file imports', () => {
    const rules: Rules = {
      client: { ours: ['contract', 'codec'], types: ['worker'], packages: ['jose'] },
      contract: { ours: [], packages: [] },
    };
    const files = { 'src/client/a.ts': `import type { A } from '../contract/index.js';`, 'src/contract/index.ts': '' };
    expect(unusedAllowances(files, rules)).toEqual([
      'client may import codec',
      'client may import types of worker',
      'client may import jose',
    ]);
  });
});

describe('packagesLoadedBy', () => {
  const files = {
    'src/client/index.ts': `export * from './a.js';\nimport type { B } from '../worker.js';`,
    'src/client/a.ts': `import { c } from '../contract/index.js';\nimport type { Worker } from '@temporalio/worker';`,
    'src/contract/index.ts': `import { x } from 'undici/lib/x.js';\nimport '../client/a.js';`,
    'src/worker.ts': `import { Worker } from '@temporalio/worker';`,
  };

  it('follows imports through files of src and through cycles, and ignores type imports', () => {
    expect(packagesLoadedBy('src/client/index.ts', files)).toEqual(['undici']);
    expect(packagesLoadedBy('src/worker.ts', files)).toEqual(['@temporalio/worker']);
  });

  it('ignores packages that are loaded later with import()', () => {
    const lazy = { 'src/a.ts': `const load = () => import('undici');\nimport { x } from 'jose';` };
    expect(packagesLoadedBy('src/a.ts', lazy)).toEqual(['jose']);
  });

  it('throws for an imported file that does not exist', () => {
    expect(() => packagesLoadedBy('src/gone.ts', files)).toThrow('src/gone.ts is imported but not there');
  });
});

describe('MACHINE_PATH', () => {
  const path = (...parts: string[]) => parts.join('/');

  it.each([
    [`see ${path('', 'home', 'ann', 'x')}`, true],
    [path('', 'Users', 'ann'), true],
    [`"${path('', 'root', '.cache')}"`, true],
    [`https://example.com${path('', 'home', 'x')}`, false],
    [path('..', 'work', 'x'), false],
    [path('', 'tmp', 'x'), false],
  ])('in %j matches: %s', (line, found) => {
    expect(MACHINE_PATH.test(line)).toBe(found);
  });
});
