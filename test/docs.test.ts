import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CAPTURE_ACTIVITY_DEFAULTS } from '../src/activities/capture/options.js';
import { type CaptureActivityOptions, createCaptureActivities } from '../src/activities/index.js';
import { ACTIVITY_DEFAULTS } from '../src/activities/options.js';
import { COLUMNS } from '../src/cli/batch/results.js';
import { PEOPLE_COLUMNS } from '../src/cli/capture/run.js';
import { EXIT } from '../src/cli/shared/exit.js';
import { BATCH_DEFAULTS } from '../src/client/batch/complete-batch.js';
import { STOP_WAIT_MS } from '../src/client/batch/steer.js';
import { DEFAULT_TIMEOUT_MS } from '../src/client/options.js';
import { DEFAULT_CONCURRENCY } from '../src/client/start-many.js';
import {
  ConfigError,
  readCaptureConfig,
  readCodecServerConfig,
  readConfig,
  readGatewayConfig,
  readWebhookConfig,
} from '../src/config/index.js';
import { GATEWAY_DEFAULTS, GATEWAY_SCOPES } from '../src/contract/gateway-settings.js';
import {
  BATCH_QUERIES,
  BATCH_SIGNALS,
  BATCH_WORKFLOW,
  BULK_TASK_QUEUE,
  batchWorkflowId,
  CAPTURE_BATCH_WORKFLOW,
  CAPTURE_PLAN_DEFAULTS,
  CAPTURE_QUERIES,
  CAPTURE_SIGNALS,
  CAPTURE_STAGES,
  CAPTURE_UPDATES,
  CAPTURE_WORKFLOW,
  captureBatchWorkflowId,
  captureWorkflowId,
  FAILURES,
  ONBOARDING_WORKFLOW,
  onboardingWorkflowId,
  PLAN_DEFAULTS,
  QUERIES,
  SEARCH_ATTRIBUTES,
  SIGNALS,
  TASK_QUEUE,
  UPDATES,
} from '../src/contract/index.js';
import { WEBHOOK_DEFAULTS } from '../src/contract/webhook-settings.js';
import { OPERATIONS } from '../src/gateway/operations.js';
import { problemStatuses } from '../src/gateway/problems.js';
import { RETRY } from '../src/images/errors.js';
import { TIMEOUT_MS as IMAGE_TIMEOUT_MS } from '../src/images/open.js';
import { CAPTURE_CLIENT_DEFAULTS } from '../src/incode/capture/client.js';
import { CLIENT_DEFAULTS } from '../src/incode/options.js';
import { onboardingService } from '../src/nexus/index.js';
import { type IncodeSimulator, type SimulatorBehavior, startIncodeSimulator } from '../src/testing/index.js';
import { DEFAULT_BEHAVIOR } from '../src/testing/simulator/behavior.js';
import { checkBehavior } from '../src/testing/simulator/check-behavior.js';
import { ROUTES } from '../src/testing/simulator/routes.js';
import { run } from './support/cli.js';
import { anchors, codeBlocks, inCode, links, prose, tableOf } from './support/markdown.js';
import { DEFINITIONS, expectValid } from './support/schema.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const doc = (name: string) => read(`docs/${name}.md`);
/** All files in a directory and its subdirectories, as paths from the root. */
const filesUnder = (directory: string, ending: string) =>
  readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${directory}/${file.replaceAll('\\', '/')}`);
const pages = ['README.md', ...filesUnder('docs', '.md'), ...filesUnder('examples', '.md')];

describe.each(pages)('%s', (page) => {
  it('has no broken links', () => {
    const broken = links(read(page)).filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : join(dirname(page), path);
      return !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchors(read(target)).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  it('shows only TypeScript that is also in examples or test/examples', () => {
    const examples = [...filesUnder('examples', '.ts'), ...filesUnder('test/examples', '.ts')].map(read);
    const unchecked = codeBlocks(read(page), 'ts').filter(
      (code) => !examples.some((example) => example.includes(code)),
    );
    expect(unchecked).toEqual([]);
  });

  it('shows only Python that test/languages runs', () => {
    const directory = join(ROOT, 'test', 'languages');
    const programs = readdirSync(directory).map((name) => read(`test/languages/${name}`));
    expect(codeBlocks(read(page), 'python').filter((code) => !programs.includes(code))).toEqual([]);
  });

  it('shows only valid JSON', () => {
    for (const code of codeBlocks(read(page), 'json')) expect(() => JSON.parse(code), code).not.toThrow();
  });

  it('names only scripts of package.json', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...read(page).matchAll(/\bnpm (?:run )?(test|(?<=run )\w+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, String(name)))).toEqual([]);
  });
});

describe('comments in src', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );

  it('every page that a comment in src names exists', () => {
    const named = sources.flatMap((file) => [...read(`src/${file}`).matchAll(/\bdocs\/\w[\w-]*\.md/g)].map(String));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

describe('cli.md', () => {
  it('has exactly one row for each command', async () => {
    const commands = [...(await help()).matchAll(/^ {2}([a-z][a-z-]*) /gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'help');
    const documented = tableOf(doc('cli'), 'command').map(([command = '']) => command);
    expect(documented.sort()).toEqual(commands.map((name) => `\`temporal-incode ${name}\``).sort());
  });

  it('has exactly one row for each exit code', () => {
    const documented = tableOf(doc('cli'), 'exit code').map(([code]) => Number(code));
    expect(documented).toEqual(Object.values(EXIT).sort((a, b) => a - b));
  });
});

it('docs use only commands and options that exist', async () => {
  const used = pages.flatMap((page) => [...codeBlocks(read(page)), ...inCode(prose(read(page)))].flatMap(invocations));
  expect(used.length).toBeGreaterThan(5);
  const commands = [...new Set(used.map(({ command }) => command))];
  const helpOf: Record<string, string> = {};
  for (const name of commands) helpOf[name] = await help(name);
  const unknown = used.flatMap(({ command, options }) =>
    options.filter((option) => !helpOf[command]?.includes(` ${option} `)).map((option) => `${command} ${option}`),
  );
  expect(unknown).toEqual([]);
});

/** The variables that a function asks an environment for. */
function variablesOf(read: (env: Record<string, string>) => unknown): string[] {
  const names = new Set<string>();
  const env = new Proxy<Record<string, string>>(
    {},
    {
      get: (_, name) => {
        names.add(String(name));
        return undefined;
      },
    },
  );
  read(env);
  return [...names];
}

it('worker.md has exactly one row for each variable that readConfig reads', () => {
  const names = variablesOf((env) => expect(() => readConfig(env)).toThrow(ConfigError));
  const documented = tableOf(doc('worker'), 'variable').flatMap(([variables = '']) => inCode(variables));
  // Temporal's library reads most of Temporal's own variables. Proxy variables are also read in lower case.
  const isOthers = (name: string) => /^TEMPORAL_(?!INCODE_)/.test(name) && !names.includes(name);
  expect(documented.filter((name) => !isOthers(name)).sort()).toEqual(
    names.filter((name) => name === name.toUpperCase()).sort(),
  );
});

it.each([
  ['webhooks', 'readWebhookConfig', readWebhookConfig, /^(WEBHOOK_|LOG_LEVEL$)/],
  ['encryption', 'readCodecServerConfig', readCodecServerConfig, /^CODEC_/],
])('%s.md has a row for each variable that %s reads', (page, _, read, own) => {
  const names = variablesOf((env) => expect(() => read(env)).toThrow(ConfigError));
  const rows = doc(page).match(/^\| `[A-Z_]+`.*/gm) ?? [];
  const documented = new Set(rows.flatMap(inCode).filter((code) => /^[A-Z_]+$/.test(code) && own.test(code)));
  expect([...documented].sort()).toEqual(names.filter((name) => own.test(name)).sort());
});

it('gateway.md has exactly one row for each variable that readGatewayConfig reads, with its default', () => {
  const documented = tableOf(doc('gateway'), 'variable');
  expect(documented.flatMap(([variable = '']) => inCode(variable)).sort()).toEqual(
    variablesOf(readGatewayConfig).sort(),
  );
  const set = documented.flatMap(([variable = '', value = '']) =>
    inCode(value).map((byDefault): [string, string] => [String(inCode(variable)[0]), byDefault]),
  );
  expect(readGatewayConfig(Object.fromEntries(set))).toEqual(readGatewayConfig({}));
});

describe('gateway.md', () => {
  const doc = () => read('docs/gateway.md');

  it('has exactly one row for each operation, with its scopes', () => {
    const documented = tableOf(doc(), 'request').map(([request = '', scope = '']) => [
      inCode(request)[0],
      inCode(scope),
    ]);
    const operations = Object.values(OPERATIONS).map(({ method, path, scopes }) => [`${method} ${path}`, scopes]);
    expect(documented.sort()).toEqual(operations.sort());
  });

  it('has exactly one row for each scope', () => {
    expect(tableOf(doc(), 'scope').flatMap(([scope = '']) => inCode(scope))).toEqual(GATEWAY_SCOPES);
  });

  it('has every problem in the row of its status', () => {
    const documented = tableOf(doc(), 'status').flatMap(([status, types = '']) =>
      inCode(types).map((type) => `${status} ${type}`),
    );
    expect(documented.sort()).toEqual(
      problemStatuses()
        .map(([name, status]) => `${status} ${name}`)
        .sort(),
    );
  });
});

it('capture.md has exactly one row for each variable that readCaptureConfig reads, with its default', () => {
  const documented = tableOf(doc('capture'), 'variable');
  expect(documented.flatMap(([variable = '']) => inCode(variable)).sort()).toEqual(
    // worker.md explains the proxies.
    variablesOf(readCaptureConfig)
      .filter((name) => name.startsWith('INCODE_'))
      .sort(),
  );
  const set = documented.flatMap(([variable = '', value = '']) =>
    inCode(value).map((byDefault): [string, string] => [String(inCode(variable)[0]), byDefault]),
  );
  expect(readCaptureConfig(Object.fromEntries(set))).toEqual(readCaptureConfig({}));
});

it('capture.md has exactly one row for each activity of the capture', () => {
  const documented = tableOf(doc('capture'), 'activity').flatMap(([cell = '']) => inCode(cell));
  expect(documented).toEqual(Object.keys(createCaptureActivities({} as CaptureActivityOptions)));
});

it('capture.md has exactly one row for each problem of an image', () => {
  const documented = tableOf(doc('capture'), 'problem').map(([problem = '', retry = '']) =>
    [problem, retry].flatMap(inCode),
  );
  expect(documented.map(([problem]) => problem)).toEqual(Object.keys(RETRY));
  expect(Object.fromEntries(documented)).toEqual(RETRY);
});

describe('defaults', () => {
  const { processIdPollMs, truncatedForMs } = CAPTURE_ACTIVITY_DEFAULTS;
  const { processTimeoutMs, uploadTimeoutMs, connections } = CAPTURE_CLIENT_DEFAULTS;
  const REQUIRED = { INCODE_BASE_URL: 'https://incode.example', INCODE_API_KEY: 'any-key' };
  const documented = tableOf(doc('worker'), 'variable').flatMap(([variables = '', value = '']) => {
    const [byDefault] = inCode(value);
    return byDefault === undefined ? [] : [[String(inCode(variables)[0]), byDefault]];
  });
  const asJson = (env: Record<string, string>) => JSON.parse(JSON.stringify(readConfig({ ...REQUIRED, ...env })));

  it.each(documented)('%s has the default %s in worker.md and in the configuration', (variable, byDefault) => {
    expect(asJson({ [variable]: byDefault })).toEqual(asJson({}));
  });

  it.each([
    ['src/config/config.ts', 'worker', 16],
    ['src/config/webhook.ts', 'webhooks', 3],
    ['src/config/codec-server.ts', 'encryption', 2],
    ['src/config/gateway.ts', 'gateway', 3],
    ['src/config/capture.ts', 'capture', 3],
  ])('TSDoc of %s names the same defaults as %s.md', (file, page, least) => {
    const rows = [...doc(page).matchAll(/^\| `([A-Z0-9_]+)`[^|]*\| *`([^`]+)`/gm)];
    const inTsdoc = [...defaultsInTsdoc(file)].flatMap(([, { comment, value }]) => {
      const byDefault = rows.find(([, variable]) => comment.includes(`\`${variable}\``))?.[2];
      return byDefault === undefined ? [] : [[byDefault, value.replaceAll('"', '')]];
    });
    expect(inTsdoc.length).toBeGreaterThanOrEqual(least);
    expect(inTsdoc.filter(([byDefault, value]) => byDefault !== value)).toEqual([]);
  });

  it.each<[file: string, defaults: Record<string, unknown>]>([
    ['src/incode/options.ts', CLIENT_DEFAULTS],
    ['src/activities/options.ts', ACTIVITY_DEFAULTS],
    ['src/activities/capture/options.ts', { processIdPollMs, truncatedForMs }],
    ['src/incode/capture/types.ts', { processTimeoutMs, uploadTimeoutMs, connections }],
    ['src/webhook/options.ts', WEBHOOK_DEFAULTS],
    ['src/gateway/options.ts', GATEWAY_DEFAULTS],
    ['src/client/options.ts', { timeoutMs: DEFAULT_TIMEOUT_MS, taskQueue: TASK_QUEUE, bulkTaskQueue: BULK_TASK_QUEUE }],
    ['src/client/connect.ts', { taskQueue: TASK_QUEUE, bulkTaskQueue: BULK_TASK_QUEUE }],
    ['src/client/start-many.ts', { concurrency: DEFAULT_CONCURRENCY }],
    ['src/client/batch/types.ts', BATCH_DEFAULTS],
    ['src/client/batch/steer.ts', { waitMs: STOP_WAIT_MS }],
    ['src/images/open.ts', { timeoutMs: IMAGE_TIMEOUT_MS }],
    ['src/testing/simulator/behavior.ts', { ...DEFAULT_BEHAVIOR }],
  ])('TSDoc in %s names the real defaults', (file, defaults) => {
    const inTsdoc = defaultsInTsdoc(file);
    const real = Object.entries(defaults).filter(([, value]) => ['number', 'string'].includes(typeof value));
    expect(real.map(([name]) => [name, literal(inTsdoc.get(name)?.value)])).toEqual(real);
  });
});

describe('simulator.md', () => {
  const COMMANDS = tableOf(doc('simulator'), 'command under `/_simulator/`');

  it('has exactly one row for each control command', async () => {
    await using simulator = await startIncodeSimulator();
    const { body } = await send(simulator, 'GET', '/_simulator/');
    const documented = COMMANDS.flatMap(([command = '']) => inCode(command)).map((name) => name.replaceAll('/', ' '));
    expect(documented.sort()).toEqual(listed(body.error, 'known are: ').sort());
  });

  it.each(COMMANDS)('shows bodies for %s that the simulator accepts', async (command, json = '') => {
    await using simulator = await startIncodeSimulator();
    const { interviewId } = await simulator.openSession();
    const [method = '', path = ''] = command.replaceAll('`', '').replace(':id', interviewId).split(' ');
    const bodies = method === 'POST' ? inCode(json) : [undefined];
    expect(bodies).not.toEqual([]);
    for (const body of bodies) {
      expect(await send(simulator, method, `/_simulator/${path}`, body)).toMatchObject({ status: 200 });
    }
  });

  it('has exactly one row for each kind of fault, with an example that the simulator accepts', async () => {
    await using simulator = await startIncodeSimulator();
    const rows = tableOf(doc('simulator'), 'kind');
    for (const [kind, example = ''] of rows) {
      const fault = JSON.parse(String(inCode(example)[0]));
      expect(kind).toBe(`\`${fault.kind}\``);
      expect(() => simulator.fault(fault)).not.toThrow();
    }
    const { body } = await send(simulator, 'POST', '/_simulator/faults', '{"kind": "unknown"}');
    const documented = new Set(rows.flatMap(([kind = '']) => inCode(kind)));
    expect([...documented].sort()).toEqual(listed(body.error, 'must be one of ').sort());
  });

  it('has exactly one row for each call', () => {
    const routes = [...ROUTES].map(([path, { method, operation, token }]) => [
      `\`${method} ${path}\``,
      `\`${operation}\``,
      token,
    ]);
    expect(tableOf(doc('simulator'), 'call').sort()).toEqual(routes.sort());
  });

  it('has exactly one row for each outcome that can be simulated', async () => {
    await using simulator = await startIncodeSimulator();
    const request = { configurationId: 'any', countryCode: 'ALL', customFields: { simulate: 'unknown' } };
    const { body } = await send(simulator, 'POST', '/omni/start', JSON.stringify(request));
    const documented = tableOf(doc('simulator'), '`simulate`').flatMap(([simulate = '']) => inCode(simulate));
    expect(documented.sort()).toEqual(listed(body.message, 'is one of ').sort());
  });

  it('has exactly one row for each option', () => {
    const documented = tableOf(doc('simulator'), 'option').flatMap(([option = '']) => inCode(option));
    expect(documented.sort()).toEqual(fieldsOf('src/testing/simulator/types.ts', 'SimulatorOptions').sort());
  });

  it('has exactly one row for each part of the behavior, with choices that the simulator accepts', async () => {
    const rows = tableOf(doc('simulator'), 'behavior');
    const documented = rows.flatMap(([part = '']) => inCode(part));
    expect(documented.sort()).toEqual(fieldsOf('src/testing/simulator/behavior.ts', 'SimulatorBehavior').sort());
    await using simulator = await startIncodeSimulator();
    for (const [part = '', choices = ''] of rows) {
      const name = String(inCode(part)[0]) as keyof SimulatorBehavior;
      const values = inCode(choices).map(jsonOrText);
      // The default stands first.
      expect(values[0], name).toEqual(simulator.behavior[name]);
      for (const value of values) expect(() => checkBehavior({ [name]: value })).not.toThrow();
    }
  });

  it('has exactly one row for each part of a session', () => {
    const documented = tableOf(doc('simulator'), 'part').flatMap(([parts = '']) => inCode(parts));
    expect(documented.sort()).toEqual(fieldsOf('src/testing/simulator/types.ts', 'SessionSpec').sort());
  });
});

it('nexus.md has exactly one row for each operation', () => {
  const documented = tableOf(doc('nexus'), 'operation').flatMap(([operation = '']) => inCode(operation));
  expect(documented).toEqual(Object.keys(onboardingService.operations));
});

it('every example has a readme and a test that runs it', () => {
  const examples = readdirSync(join(ROOT, 'examples'));
  expect(examples.length).toBeGreaterThan(3);
  const tests = filesUnder('test/examples', '.test.ts').map(read).join();
  for (const example of examples) {
    expect(pages).toContain(`examples/${example}/README.md`);
    expect(tests.includes(`'${example}`), example).toBe(true);
  }
});

it('README.md gives the reason for each dependency', () => {
  const { dependencies } = JSON.parse(read('package.json'));
  const names = new Set(Object.keys(dependencies).map((name) => name.replace(/^(@temporalio)\/.*/, '$1/*')));
  const documented = tableOf(read('README.md'), 'package').flatMap(([cell = '']) => inCode(cell));
  expect(documented.sort()).toEqual([...names].sort());
});

it.each(pages)('%s installs packages of the SDK in the version of package.json', (page) => {
  const { dependencies, peerDependencies } = JSON.parse(read('package.json'));
  const versions = { ...dependencies, ...peerDependencies };
  const installed = read(page).matchAll(/(@temporalio\/[a-z-]+)@([\d.]+)/g);
  const wrong = [...installed].filter(([, name, version]) => versions[String(name)] !== version);
  expect(wrong.map(String)).toEqual([]);
});

it('testing.md has exactly one row for each option of the server', () => {
  const documented = tableOf(doc('testing').slice(doc('testing').indexOf('## The server')), 'option').flatMap(
    ([option = '']) => inCode(option),
  );
  expect(documented.sort()).toEqual(fieldsOf('src/testing/server/index.ts', 'LocalTemporalServerOptions').sort());
});

describe('batches.md', () => {
  const first = (head: string) => tableOf(doc('batches'), head).flatMap(([cell = '']) => inCode(cell));

  it('has exactly one row for each option, with its default', () => {
    expect(first('option').sort()).toEqual(fieldsOf('src/client/batch/types.ts', 'BatchOptions').sort());
    const rows = tableOf(doc('batches'), 'option').map((cells) => cells.slice(0, 2).flatMap(inCode));
    const documented = rows.filter(([option = '']) => option in BATCH_DEFAULTS);
    expect(Object.fromEntries(documented.map(([option, value = '']) => [option, jsonOrText(value)]))).toEqual(
      BATCH_DEFAULTS,
    );
  });

  it('has one row for each column of the results, in their order', () => {
    expect(first('column')).toEqual(Object.keys(COLUMNS));
  });

  it('names only exit codes of the CLI', () => {
    const codes = tableOf(doc('batches'), 'exit code').map(([code]) => Number(code));
    expect(codes.filter((code) => !Object.values(EXIT).includes(code as never))).toEqual([]);
  });
});

describe('contract.md', () => {
  const names = (head: string, row: string) =>
    inCode(tableOf(doc('contract'), head).find(([what]) => what === row)?.[1] ?? '').sort();
  const first = (head: string) => tableOf(doc('contract'), head).flatMap(([cell = '']) => inCode(cell));
  const partsOf = (type: string) => Object.keys(DEFINITIONS[type]?.properties ?? {});

  it('names the workflow, messages and search attributes of sessions', () => {
    expect(names('what', 'workflow type')).toEqual([ONBOARDING_WORKFLOW]);
    expect(names('what', 'task queue')).toEqual([TASK_QUEUE]);
    expect(names('what', 'workflow id')).toEqual([onboardingWorkflowId('<interviewId>')]);
    expect(names('what', 'updates')).toEqual(Object.values(UPDATES).sort());
    expect(names('what', 'signals')).toEqual(Object.values(SIGNALS));
    expect(names('what', 'queries')).toEqual(Object.values(QUERIES));
    expect(names('what', 'search attributes')).toEqual(Object.values(SEARCH_ATTRIBUTES).sort());
    expect(first('message').sort()).toEqual(Object.values({ ...UPDATES, ...SIGNALS, ...QUERIES }).sort());
  });

  it('names the workflow, messages and search attributes of batches', () => {
    expect(names('what of a batch', 'workflow type')).toEqual([BATCH_WORKFLOW]);
    expect(names('what of a batch', 'task queue')).toEqual([BULK_TASK_QUEUE]);
    expect(names('what of a batch', 'workflow id')).toEqual([
      batchWorkflowId('<batchId>', 0).replace('/0', '/<shard>'),
    ]);
    expect(names('what of a batch', 'signals')).toEqual(Object.values(BATCH_SIGNALS).sort());
    expect(names('what of a batch', 'queries')).toEqual(Object.values(BATCH_QUERIES));
    expect(names('what of a batch', 'search attributes')).toEqual([SEARCH_ATTRIBUTES.batchId]);
  });

  it('names the workflow and messages of people from images', () => {
    expect(names('what of a person', 'workflow type')).toEqual([CAPTURE_WORKFLOW]);
    expect(names('what of a person', 'task queue')).toEqual([TASK_QUEUE]);
    expect(names('what of a person', 'workflow id')).toEqual([captureWorkflowId('<reference>')]);
    expect(names('what of a person', 'updates')).toEqual(Object.values(CAPTURE_UPDATES));
    expect(names('what of a person', 'signals')).toEqual(Object.values(CAPTURE_SIGNALS));
    expect(names('what of a person', 'queries')).toEqual(Object.values(CAPTURE_QUERIES));
  });

  it('names the workflow and messages of lists of people', () => {
    const list = 'what of a list of people';
    expect(names(list, 'workflow type')).toEqual([CAPTURE_BATCH_WORKFLOW]);
    expect(names(list, 'task queue')).toEqual([TASK_QUEUE]);
    expect(names(list, 'workflow id')).toEqual([captureBatchWorkflowId('<batchId>', 0).replace('/0', '/<shard>')]);
    expect(names(list, 'signals')).toEqual(Object.values(BATCH_SIGNALS).sort());
    expect(names(list, 'queries')).toEqual(Object.values(BATCH_QUERIES));
    expect(names(list, 'search attributes')).toEqual([SEARCH_ATTRIBUTES.batchId]);
  });

  it('has exactly one row for each failure type', () => {
    expect(first('failure type')).toEqual(Object.values(FAILURES));
  });

  it.each([
    ['part of the state', 'OnboardingState'],
    ['part of the result', 'OnboardingResult'],
    ['part of a row', 'BatchRow'],
    ["part of a person's result", 'CaptureResult'],
    ["part of a person's row", 'CaptureRow'],
  ])('has exactly one row for each %s', (head, type) => {
    expect(first(head)).toEqual(partsOf(type));
  });

  it('shows inputs and answers in JSON that fits the schema', () => {
    const [before = '', ...rest] = doc('contract').split(/^```json\n([\s\S]*?)^```$/m);
    let text = before;
    for (let at = 0; at < rest.length; at += 2) {
      const type = inCode(prose(text)).findLast((name) => name in DEFINITIONS);
      expectValid(String(type), JSON.parse(rest[at] ?? ''));
      text = rest[at + 1] ?? '';
    }
    expect(rest.length).toBeGreaterThan(0);
  });

  it('names every definition that is not only a part of another', () => {
    const named = inCode(prose(doc('contract')));
    const text = JSON.stringify(DEFINITIONS);
    const whole = Object.keys(DEFINITIONS).filter((name) => !text.includes(`#/definitions/${name}"`));
    expect(whole.filter((name) => !named.includes(name))).toEqual([]);
  });
});

it('lifecycle.md has one row for each stage and for each part of the plan', () => {
  const first = (head: string) => tableOf(doc('lifecycle'), head).flatMap(([cell = '']) => inCode(cell));
  expect(first('stage').sort()).toEqual([...(DEFINITIONS.Stage?.enum ?? [])].sort());
  const plan = tableOf(doc('lifecycle'), 'part').map(([part = '', byDefault = '']) => [part, byDefault]);
  expect(plan).toEqual(
    Object.entries(PLAN_DEFAULTS).map(([part, value]) => [`\`${part}\``, `\`${JSON.stringify(value)}\``]),
  );
});

it('capture.md has one row for each column of the results, in their order', () => {
  const columns = tableOf(doc('capture'), 'column of a person').flatMap(([cell = '']) => inCode(cell));
  expect(columns).toEqual(Object.keys(PEOPLE_COLUMNS));
});

it('capture.md has exactly one row for each option of captureBatch', () => {
  const first = (head: string) => tableOf(doc('capture'), head).flatMap(([cell = '']) => inCode(cell));
  const common = ['order', 'signal', 'onProgress', 'progressIntervalMs'];
  expect(first('option').sort()).toEqual(
    [...common, ...fieldsOf('src/client/batch/capture-types.ts', 'CaptureBatchOptions')].sort(),
  );
});

it('capture.md has one row for each stage and for each part of the plan', () => {
  const first = (head: string) => tableOf(doc('capture'), head).flatMap(([cell = '']) => inCode(cell));
  expect(first('stage of a person').sort()).toEqual([...CAPTURE_STAGES].sort());
  const plan = tableOf(doc('capture'), "part of a person's plan").map(([part = '', byDefault = '']) => [
    part,
    byDefault,
  ]);
  expect(plan).toEqual(
    Object.entries(CAPTURE_PLAN_DEFAULTS).map(([part, value]) => [`\`${part}\``, `\`${JSON.stringify(value)}\``]),
  );
});

it('development.md has exactly one row for each part of src', () => {
  const parts = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).map((entry) =>
    entry.isDirectory() ? `${entry.name}/` : entry.name,
  );
  const documented = tableOf(doc('development'), 'part of src').flatMap(([part = '']) => inCode(part));
  expect(documented.sort()).toEqual(parts.sort());
});

it('development.md names only files that exist', () => {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((file) => basename(file));
  const named = inCode(prose(doc('development'))).filter((code) => /^[\w/-]+\.ts$/.test(code));
  expect(named.length).toBeGreaterThan(10);
  const isThere = (file: string) =>
    existsSync(join(ROOT, file)) || existsSync(join(ROOT, 'src', file)) || files.includes(file);
  expect(named.filter((file) => !isThere(file) && file !== 'scenarios.ts')).toEqual([]);
});

it('development.md names each definition in the file that has it', () => {
  const named = [...doc('development').matchAll(/`(\w+)` in `([\w/-]+\/[\w-]+\.ts)`/g)];
  expect(named.length).toBeGreaterThan(10);
  const isThere = (name: string, file: string) =>
    [join(ROOT, 'src', file), join(ROOT, file)].some(
      (path) => existsSync(path) && new RegExp(`\\b${name}\\b`).test(readFileSync(path, 'utf8')),
    );
  expect(named.filter(([, name = '', file = '']) => !isThere(name, file)).map(([text]) => text)).toEqual([]);
});

async function help(...command: string[]): Promise<string> {
  return (await run([...command, '--help'])).stdout;
}

/** The commands of `temporal-incode` in a piece of code, with their options. */
function invocations(code: string): { command: string; options: string[] }[] {
  return [...code.matchAll(/\btemporal-incode ([a-z][a-z-]*)(.*)/g)].map(([, command = '', rest = '']) => ({
    command,
    options: rest.match(/(?<= )--[a-z-]+/g) ?? [],
  }));
}

async function send({ url, apiKey }: IncodeSimulator, method: string, path: string, body?: string) {
  const headers = { 'x-api-key': apiKey, 'api-version': '1.0', 'content-type': 'application/json' };
  const response = await fetch(url + path, { method, headers, ...(body ? { body } : {}) });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

function jsonOrText(code: string): unknown {
  try {
    return JSON.parse(code);
  } catch {
    return code;
  }
}

/** The value of a literal of TypeScript: a number or a string. */
function literal(code = ''): string | number {
  return code.startsWith('"') ? code.slice(1, -1) : Number(code.replaceAll('_', ''));
}

/** The list in a message after these words. */
function listed(message = '', after: string): string[] {
  expect(message).toContain(after);
  return message.slice(message.indexOf(after) + after.length).split(', ');
}

/** The `@default` of each field whose comment has one, by the field's name. */
function defaultsInTsdoc(file: string): Map<string, { comment: string; value: string }> {
  const fields = read(file).matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:readonly )?(\w+)\??:/g);
  return new Map(
    [...fields].flatMap(([, comment = '', name = '']) => {
      const value = /@default ("[^"]*"|\w[\w.]*)/.exec(comment)?.[1];
      return value === undefined ? [] : [[name, { comment, value }]];
    }),
  );
}

/** The fields of an interface, found by their indentation. */
function fieldsOf(file: string, name: string): string[] {
  const [, body = ''] =
    new RegExp(`^export interface ${name}(?: extends \\w+)? \\{\\n([\\s\\S]*?)^\\}$`, 'm').exec(read(file)) ?? [];
  return [...body.matchAll(/^ {2}(\w+)\??: /gm)].map(([, field = '']) => field);
}
