import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ConfigError, readConfig, readGatewayConfig, readWebhookConfig } from '../../src/config/index.js';
import { GATEWAY_DEFAULTS } from '../../src/contract/gateway-settings.js';
import { parseDuration } from '../../src/contract/index.js';
import { WEBHOOK_DEFAULTS } from '../../src/contract/webhook-settings.js';
import { forceTimeMs } from '../../src/worker/run.js';
import { container, megabytes } from '../support/ops.js';

const read = (file: string) => readFileSync(new URL(`../../ops/${file}`, import.meta.url), 'utf8');

interface Probe {
  httpGet: { path: string; port: string };
  timeoutSeconds: number;
}

interface Container {
  name: string;
  securityContext: Record<string, unknown>;
  volumeMounts: { name: string; mountPath: string; subPath?: string; readOnly: boolean }[];
  args: string[];
  env: { name: string; value: string }[];
  ports: { name: string; containerPort: number }[];
  livenessProbe: Probe;
  readinessProbe: Probe;
  startupProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
}

interface Workload {
  kind: string;
  metadata: { name: string };
  spec: {
    replicas: number;
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: Pod;
    };
  };
}

interface Pod {
  terminationGracePeriodSeconds: number;
  automountServiceAccountToken: boolean;
  hostNetwork?: boolean;
  topologySpreadConstraints: { labelSelector: unknown }[];
  securityContext: { runAsNonRoot: boolean; runAsUser: number; seccompProfile: { type: string } };
  containers: Container[];
  volumes: {
    name: string;
    projected: { sources: { secret: { name: string; items: { key: string; path: string }[] } }[] };
  }[];
}

interface Service {
  kind: string;
  spec: { selector: Record<string, string>; ports: { targetPort: string }[] };
}

interface DisruptionBudget {
  kind: string;
  spec: { maxUnavailable: number; selector: { matchLabels: Record<string, string> } };
}

interface NetworkPolicy {
  kind: string;
  spec: {
    podSelector: { matchLabels: Record<string, string> };
    policyTypes: string[];
    ingress: { from: unknown[]; ports: { protocol: string; port: number }[] }[];
  };
}

/** The names of the variables that an invalid configuration reads. */
function namesReadBy(
  configure: (env: Record<string, string>) => unknown,
  env: Record<string, string> = {},
): Set<string> {
  const names = new Set<string>();
  const get = (values: Record<string, string>, name: string | symbol) => {
    names.add(String(name));
    return values[String(name)];
  };
  const recording = new Proxy(env, { get });
  expect(() => configure(recording)).toThrow(ConfigError);
  return names;
}

/** Variables that Temporal's library or the C library reads. */
const isForeign = (name: string) => /^TEMPORAL_(?!INCODE_)/.test(name) || name === 'MALLOC_TRIM_THRESHOLD_';

/** Replaces the secrets, which are files of the target machine. */
const UNASKED = { WEBHOOK_ALLOW_UNAUTHENTICATED: 'true' };

function readable(env: Record<string, string>): Record<string, string> {
  const { INCODE_API_KEY_FILE: _, TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE: __, ...rest } = env;
  return { ...rest, INCODE_API_KEY: 'key', TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true' };
}

function expectWorkerEnvironment(env: Record<string, string>, stopsAfterSeconds: number): void {
  const known = namesReadBy((variables) => readConfig(variables));
  expect(Object.keys(env).filter((name) => !known.has(name) && !isForeign(name))).toEqual([]);
  const config = readConfig(readable(env));
  expect(config.shutdownGraceMs).toBe(parseDuration(env.WORKER_SHUTDOWN_GRACE ?? ''));
  // The grace period covers the longest call: a status read and a finish.
  expect(config.shutdownGraceMs).toBeGreaterThanOrEqual(config.timeoutMs + config.finishTimeoutMs);
  // The worker exits some seconds before it would be killed.
  expect(stopsAfterSeconds * 1_000).toBeGreaterThan(forceTimeMs(config) + 5_000);
}

describe('ops/kubernetes.yml', () => {
  const documents = parseAllDocuments(read('kubernetes.yml'));
  const objects = documents.map((document) => document.toJS() as Workload | NetworkPolicy | Service | DisruptionBudget);
  const workloads = objects.filter((object): object is Workload => object.kind === 'Deployment');
  const policies = objects.filter((object): object is NetworkPolicy => object.kind === 'NetworkPolicy');
  const deployment = (name: string) => {
    const found = workloads.find(({ metadata }) => metadata.name === `incode-${name}`);
    if (!found) throw new Error(`There is no deployment ${name}`);
    return found;
  };
  const [worker, webhooks] = [deployment('worker'), deployment('webhooks')].map(({ spec }) => spec.template.spec) as [
    Pod,
    Pod,
  ];
  const portOf = (pod: Pod, name: string) =>
    pod.containers[0]?.ports.find((port) => port.name === name)?.containerPort ?? 0;
  const environment = ({ containers }: { containers: Container[] }) =>
    Object.fromEntries((containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

  it('is valid YAML, and each deployment selects its own pods', () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(objects.map(({ kind }) => kind)).toEqual([
      ...['NetworkPolicy', 'NetworkPolicy', 'PodDisruptionBudget', 'PodDisruptionBudget'],
      ...['Service', 'Deployment', 'Deployment'],
    ]);
    for (const { spec } of workloads) expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
  });

  it('gives the worker the memory that docs/worker.md recommends', () => {
    const page = readFileSync(new URL('../../docs/worker.md', import.meta.url), 'utf8');
    const [, recommended] = /Give its container (\d+) MB/.exec(page) ?? [];
    expect(megabytes(container('worker').resources.limits.memory)).toBe(Number(recommended));
  });

  it('has only strings as values of variables', () => {
    const values = workloads.flatMap(({ spec }) => spec.template.spec.containers[0]?.env ?? []);
    expect(values.filter(({ value }) => typeof value !== 'string')).toEqual([]);
  });

  it('probes the right ports, and restarts no container because Temporal is down', () => {
    for (const pod of [worker, webhooks]) {
      const { livenessProbe, readinessProbe, startupProbe } = pod.containers[0] ?? {};
      expect([livenessProbe?.httpGet.path, readinessProbe?.httpGet.path]).toEqual(['/healthz', '/readyz']);
      expect(livenessProbe?.httpGet.port).toBe(readinessProbe?.httpGet.port);
      expect(startupProbe).toBeUndefined();
      // A probe may take up to 2 s.
      expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(2);
    }
    const probed = (pod: Pod) => portOf(pod, pod.containers[0]?.livenessProbe.httpGet.port ?? '');
    expect(probed(worker)).toBe(Number(environment(worker).WORKER_METRICS_ADDRESS?.split(':').at(-1)));
    const { port } = readWebhookConfig({ ...environment(webhooks), WEBHOOK_HEADER_SECRETS_FILE: '', ...UNASKED });
    expect(probed(webhooks)).toBe(port);
  });

  it('mounts in each deployment exactly the secrets that its variables name', () => {
    const secretsOf = ({ containers, volumes }: Pod) => {
      const [own] = containers;
      const mount = own?.volumeMounts[0];
      expect(mount).toEqual({ name: 'secrets', mountPath: '/run/secrets/incode', readOnly: true });
      const sources = volumes.flatMap(({ projected }) => projected.sources);
      const files = sources.flatMap(({ secret }) => secret.items.map(({ path }) => `${mount?.mountPath}/${path}`));
      const named = (own?.env ?? []).filter(({ name }) => name.endsWith('_FILE')).map(({ value }) => value);
      expect(files.sort()).toEqual(named.sort());
      return sources.map(({ secret }) => secret.name);
    };
    expect(secretsOf(worker)).toEqual(['incode-api-key', 'incode-encryption-keys']);
    expect(secretsOf(webhooks)).toEqual(['incode-webhook-secrets', 'incode-encryption-keys']);
  });

  it('allows only Prometheus to reach the metrics, and only the ingress to reach the receiver', () => {
    const allowed = ({ spec: { template } }: Workload) => {
      const { labels } = template.metadata;
      const own = policies.filter(({ spec }) =>
        Object.entries(spec.podSelector.matchLabels).every(([name, value]) => labels[name] === value),
      );
      expect(own.map(({ spec }) => spec.policyTypes)).toEqual([['Ingress']]);
      return own
        .flatMap(({ spec }) => spec.ingress)
        .flatMap(({ from, ports }) => ports.map(({ port }) => [port, from]));
    };
    const namespace = (name: string) => [
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
    ];
    expect(allowed(deployment('worker'))).toEqual([[portOf(worker, 'metrics'), namespace('monitoring')]]);
    expect(allowed(deployment('webhooks'))).toEqual([
      [portOf(webhooks, 'metrics'), namespace('monitoring')],
      [portOf(webhooks, 'http'), namespace('ingress-nginx')],
    ]);
    const listening = environment(webhooks).WEBHOOK_METRICS_ADDRESS;
    expect(portOf(webhooks, 'metrics')).toBe(Number(listening?.split(':').at(-1)));
  });

  it('routes deliveries to the receiver', () => {
    const [service] = objects.filter((object): object is Service => object.kind === 'Service');
    expect(service?.spec.selector).toEqual(deployment('webhooks').spec.template.metadata.labels);
    const { port } = readWebhookConfig({ WEBHOOK_HEADER_SECRETS_FILE: '', ...UNASKED });
    expect(portOf(webhooks, service?.spec.ports[0]?.targetPort ?? '')).toBe(port);
  });

  it('keeps a worker and a receiver while nodes are drained, and spreads them over nodes', () => {
    const budgets = objects.filter((object): object is DisruptionBudget => object.kind === 'PodDisruptionBudget');
    for (const { spec } of workloads) {
      const selector = { matchLabels: spec.template.metadata.labels };
      expect(budgets.map((budget) => budget.spec)).toContainEqual({ maxUnavailable: 1, selector });
      expect(spec.replicas).toBeGreaterThan(1);
      const spread = spec.template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector);
      expect(spread).toEqual([selector]);
    }
  });

  it('configures workers, and gives them enough time to drain', () => {
    expect(worker.containers[0]?.args).toEqual(['worker']);
    const env = environment(worker);
    expectWorkerEnvironment(env, worker.terminationGracePeriodSeconds);
    expect(readConfig(readable(env)).deployment).toBeNull();
  });

  it('configures the receiver, and gives it enough time to drain', () => {
    expect(webhooks.containers[0]?.args).toEqual(['webhooks']);
    const env = environment(webhooks);
    const known = namesReadBy((variables) => readWebhookConfig(variables));
    // The client reads its own variables.
    const isClients = (name: string) => isForeign(name) || name === 'TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE';
    expect(Object.keys(env).filter((name) => !known.has(name) && !isClients(name))).toEqual([]);
    const waits = webhooks.containers[0]?.lifecycle?.preStop.sleep.seconds ?? 0;
    const longest = WEBHOOK_DEFAULTS.bodyTimeoutMs + WEBHOOK_DEFAULTS.notifyTimeoutMs;
    expect((webhooks.terminationGracePeriodSeconds - waits) * 1_000).toBeGreaterThan(longest);
  });
});

describe('ops/gateway.yml', () => {
  const objects = parseAllDocuments(read('gateway.yml')).map((document) => document.toJS());
  const { spec } = objects.find(({ kind }) => kind === 'Deployment') as Workload;
  const pod = spec.template.spec;
  const [own] = pod.containers;
  const env = Object.fromEntries((own?.env ?? []).map(({ name, value }) => [name, value]));

  it('configures the gateway, and gives it enough time to drain', () => {
    expect(own?.args).toEqual(['gateway']);
    const known = namesReadBy((variables) => readGatewayConfig(variables), { GATEWAY_HOST: '0.0.0.0' });
    const isClients = (name: string) => isForeign(name) || name === 'TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE';
    expect(Object.keys(env).filter((name) => !known.has(name) && !isClients(name))).toEqual([]);
    const waits = own?.lifecycle?.preStop.sleep.seconds ?? 0;
    const longest = GATEWAY_DEFAULTS.headersTimeoutMs + GATEWAY_DEFAULTS.bodyTimeoutMs;
    expect((pod.terminationGracePeriodSeconds - waits) * 1_000).toBeGreaterThan(longest);
  });

  it('probes the port of the gateway, and exposes nothing else', () => {
    expect([own?.livenessProbe.httpGet.path, own?.readinessProbe.httpGet.path]).toEqual(['/healthz', '/readyz']);
    const { port, metricsAddress } = readGatewayConfig({ GATEWAY_METRICS_ADDRESS: env.GATEWAY_METRICS_ADDRESS ?? '' });
    const ports = own?.ports.map(({ containerPort }) => containerPort);
    expect(ports).toEqual([port, metricsAddress?.port]);
    expect(own?.livenessProbe.httpGet.port).toBe(own?.ports.find(({ containerPort }) => containerPort === port)?.name);
    const policy = objects.find(({ kind }) => kind === 'NetworkPolicy') as NetworkPolicy;
    const allowed = policy.spec.ingress.flatMap((rule) => rule.ports.map((allow) => allow.port));
    expect(allowed.sort()).toEqual([...(ports ?? [])].sort());
  });
});

describe('ops/worker-controller.yml', () => {
  const [connection, deployment, template] = parseAllDocuments(read('worker-controller.yml')).map((document) =>
    document.toJS(),
  );

  it('has the kinds of the current version of the controller, which refer to each other', () => {
    expect([connection, deployment, template].map(({ apiVersion, kind }) => `${apiVersion} ${kind}`)).toEqual([
      'temporal.io/v1alpha1 Connection',
      'temporal.io/v1alpha1 WorkerDeployment',
      'temporal.io/v1alpha1 WorkerResourceTemplate',
    ]);
    expect(deployment.spec.workerOptions.connectionRef.name).toBe(connection.metadata.name);
    expect(template.spec.workerDeploymentRef.name).toBe(deployment.metadata.name);
  });

  it('runs the pod of ops/kubernetes.yml without what the controller sets', () => {
    const plain = parseAllDocuments(read('kubernetes.yml')).map((document) => document.toJS());
    const pod = plain.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === deployment.metadata.name)
      .spec.template.spec;
    const isSet = ({ name }: { name: string }) => /^TEMPORAL_(ADDRESS|NAMESPACE)$/.test(name);
    expect(pod.containers[0].env.filter(isSet)).toHaveLength(2);
    pod.containers[0].env = pod.containers[0].env.filter((variable: { name: string }) => !isSet(variable));
    expect(deployment.spec.template.spec).toEqual(pod);
  });

  it('gives each worker the version that the controller appends to its environment', () => {
    const [own] = deployment.spec.template.spec.containers;
    const env = Object.fromEntries(own.env.map(({ name, value }: { name: string; value: string }) => [name, value]));
    const appended = { TEMPORAL_DEPLOYMENT_NAME: 'identity/incode-worker', TEMPORAL_WORKER_BUILD_ID: '1-4-0-3f2a' };
    expect(readConfig(readable({ ...env, ...appended })).deployment).toEqual({
      deploymentName: 'identity/incode-worker',
      buildId: '1-4-0-3f2a',
    });
  });
});

describe('ops/temporal-incode-worker.service', () => {
  const settings = read('temporal-incode-worker.service')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  const all = (name: string) => settings.filter(([key]) => key === name).map(([, value]) => value);

  it('configures a worker, and gives it enough time to drain', () => {
    const env = Object.fromEntries(
      all('Environment').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    expect(all('ExecStart')).toEqual([expect.stringMatching(/^\/\S+\/node .* worker$/)]);
    expectWorkerEnvironment(env, Number(all('TimeoutStopSec')[0]));
  });

  it('reads secrets from files whose changes are noticed, and writes no core dumps', () => {
    const files = all('Environment').filter((pair) => /^\w+_FILE=/.test(pair));
    expect(files).toHaveLength(2);
    // Not credentials in %d, which systemd copies only at the start.
    for (const pair of files) expect(pair).toMatch(/_FILE=\/etc\//);
    expect(settings.some(([key]) => /Credential/.test(key))).toBe(false);
    expect(all('LimitCORE')).toEqual(['0']);
  });
});
