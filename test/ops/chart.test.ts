import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MANIFESTS, manifest } from '../../scripts/manifests.js';
import { readCodecServerConfig, readConfig, readGatewayConfig } from '../../src/config/index.js';
import { BULK_TASK_QUEUE, TASK_QUEUE } from '../../src/contract/index.js';
import { CHART, environment, type KubernetesObject, podsOf, problemsOf, render, runHelm } from '../support/chart.js';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const EXAMPLES = readdirSync(`${CHART}/examples`);
const example = (file: string) => ['--values', `${CHART}/examples/${file}`];
const set = (...values: string[]) => values.flatMap((value) => ['--set', value]);

const EVERYTHING = [
  ...set('codecServer.enabled=true', 'webhooks.ingress.enabled=true', 'codecServer.ingress.enabled=true'),
  ...set('gateway.enabled=true', 'gateway.ingress.enabled=true', 'gateway.env.LOG_LEVEL=warn'),
  ...set('monitoring.podMonitor.enabled=true', 'webhooks.oauthClientsSecret.name=incode-oauth-clients'),
  ...set('worker.incode.executiveEmail=a@b.example', 'worker.incode.executivePasswordSecret.name=executive'),
  ...set('encryption.required=true', 'worker.env.INCODE_SETTLE_TIME=40s', 'worker.podAnnotations.team=identity'),
  ...['--set-file', `monitoring.alerts=${fileURLToPath(new URL('../../ops/alerts.yml', import.meta.url))}`],
];
const CERTIFICATE = set('temporal.certificateSecret.name=client', 'temporal.caSecret.name=ca');
const API_KEY = set('temporal.apiKeySecret.name=temporal-api-key', 'temporal.tlsServerName=acme.tmprl.cloud');
const CONTROLLER = set('worker.versioning.mode=controller');
const KEDA = set('worker.autoscaling.type=keda');
const HPA = set('worker.autoscaling.type=hpa');

const NO_BUDGETS = ['worker', 'webhooks', 'gateway'].flatMap((name) =>
  set(`${name}.podDisruptionBudget.enabled=false`),
);

const CASES: [string, string[]][] = [
  ['the defaults', []],
  ['everything, and a certificate', [...EVERYTHING, ...CERTIFICATE]],
  ['an API key', API_KEY],
  ['only the codec server', set('worker.enabled=false', 'webhooks.enabled=false', 'codecServer.enabled=true')],
  [
    'only the gateway, and an API key',
    [...set('worker.enabled=false', 'webhooks.enabled=false', 'gateway.enabled=true'), ...API_KEY],
  ],
  ['nothing optional', [...NO_BUDGETS, ...set('networkPolicy.enabled=false', 'gateway.enabled=true')]],
  [
    'a version of a worker deployment, scaled by CPU',
    [...set('worker.versioning.mode=manual', BUILD('1.4.0')), ...HPA],
  ],
  ['workers scaled by KEDA, with a certificate', [...KEDA, ...CERTIFICATE]],
  ['the Worker Controller with KEDA and an API key', [...CONTROLLER, ...KEDA, ...API_KEY]],
  ['the Worker Controller with CPU and a certificate', [...CONTROLLER, ...HPA, ...CERTIFICATE]],
  ...EXAMPLES.map((file): [string, string[]] => [`examples/${file}`, example(file)]),
];

function BUILD(id: string): string {
  return `worker.versioning.buildId=${id}`;
}

describe.each(CASES)('the chart with %s', (_, options) => {
  it('passes helm lint, and the schemas of Kubernetes and of custom resources', async () => {
    await runHelm(['lint', '--strict'], options);
    expect(await problemsOf((await render(options)).flatMap(madeByController))).toEqual([]);
  });

  it('contains no secret, and only pods that meet the Pod Security standard "restricted"', async () => {
    const objects = await render(options);
    expect(objects.map(({ kind }) => kind)).not.toContain('Secret');
    for (const pod of podsOf(objects)) {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(pod.securityContext.runAsUser).toBeGreaterThan(0);
      expect(Object.keys(pod).filter((name) => name.startsWith('host'))).toEqual([]);
      for (const volume of pod.volumes) expect(Object.keys(volume)).not.toContain('hostPath');
      for (const { securityContext, image } of pod.containers) {
        expect(image).not.toMatch(/:latest$/);
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });
});

/** The object, and what the Worker Controller 1.8 makes of it for one version: a deployment, or the resource of a template. */
function madeByController(object: KubernetesObject): KubernetesObject[] {
  const labels = { 'temporal.io/build-id': '1-4-0-3f2a', 'temporal.io/deployment-name': 'incode-worker' };
  const metadata = { name: 'incode-worker-1-4-0-3f2a', labels };
  if (object.kind === 'WorkerDeployment') {
    const { template } = structuredClone(object.spec);
    Object.assign(template.metadata.labels, labels);
    return [
      object,
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { selector: { matchLabels: labels }, template } },
    ];
  }
  if (object.kind !== 'WorkerResourceTemplate') return [object];
  const made = { metadata, ...structuredClone(object.spec.template) };
  if (made.spec.scaleTargetRef)
    made.spec.scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name };
  if (made.spec.selector) made.spec.selector.matchLabels = labels;
  for (const { metadata: trigger } of made.spec.triggers ?? []) {
    Object.assign(trigger, {
      namespace: 'default',
      workerDeploymentName: 'identity/incode-worker',
      workerDeploymentBuildId: '1',
    });
  }
  return [object, made];
}

describe('values of the chart', () => {
  it('the schema knows every value and no other', () => {
    const schema = JSON.parse(read('ops/helm/values.schema.json'));
    const resolve = (part: KubernetesObject) => (part.$ref ? schema.definitions[part.$ref.split('/').at(-1)] : part);
    const differing: string[] = [];
    const compare = (path: string, value: KubernetesObject, part: KubernetesObject) => {
      const { properties } = resolve(part);
      if (!properties) return;
      const [own, known] = [Object.keys(value), Object.keys(properties)];
      const optional = ['.global', '.worker.versioning.rollout.gate'];
      const more = known.filter((name) => !own.includes(name) && !optional.includes(`${path}.${name}`));
      differing.push(...[...own.filter((name) => !known.includes(name)), ...more].map((name) => `${path}.${name}`));
      for (const name of own) if (known.includes(name)) compare(`${path}.${name}`, value[name], properties[name]);
    };
    compare('', parse(read('ops/helm/values.yaml')), schema);
    expect(differing).toEqual([]);
  });

  it.each([
    ['a value with a wrong name', set('worker.replica=3'), 'worker: Additional property replica is not allowed'],
    ['a secret as a value', set('worker.env.INCODE_API_KEY=x'), 'Property name of "INCODE_API_KEY" does not match'],
    [
      'a variable that the chart sets',
      set('webhooks.env.WEBHOOK_HOST=x'),
      'Property name of "WEBHOOK_HOST" does not match',
    ],
    [
      'a gateway without tokens',
      set('gateway.tokensSecret.name='),
      'gateway.tokensSecret.name: Does not match pattern',
    ],
    [
      'a variable of the gateway that the chart sets',
      set('gateway.env.GATEWAY_TOKENS_FILE=x'),
      'Property name of "GATEWAY_TOKENS_FILE" does not match',
    ],
    ['a number as a variable', set('worker.env.INCODE_RATE_LIMIT=3'), 'worker.env.INCODE_RATE_LIMIT: Invalid type'],
    ['the tag latest', set('image.tag=latest'), 'image.tag: Must not validate'],
    ['an API key and a certificate', [...API_KEY, ...CERTIFICATE], 'temporal: Must not validate'],
    ['a version without a build id', set('worker.versioning.mode=manual'), 'buildId is required with mode manual'],
    ['a receiver without secrets', set('webhooks.headerSecretsSecret.name='), 'oauthClientsSecret.name is required'],
    [
      'an executive without a password',
      set('worker.incode.executiveEmail=a@b'),
      'executivePasswordSecret.name is required',
    ],
    [
      'no workers when there is no backlog',
      set('worker.autoscaling.minReplicas=0'),
      'worker.autoscaling.minReplicas: Must be greater',
    ],
  ])('the chart refuses %s', async (_, options, message) => {
    await expect(render(options)).rejects.toThrow(message);
  });
});

describe('files that follow from the chart', () => {
  it.each(Object.keys(MANIFESTS))('ops/%s is what the chart renders; if not, run `npm run manifests`', async (file) => {
    expect(read(`ops/${file}`)).toBe(await manifest(file));
  });

  it('the chart has the version of the package', () => {
    const { version } = JSON.parse(read('package.json'));
    expect(parse(read('ops/helm/Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });
});

describe('workers of the chart', () => {
  const worker = async (...options: string[][]) => {
    const objects = await render(options.flat());
    const [pod] = podsOf(objects).filter(({ containers }) => containers[0].name === 'worker');
    return { objects, pod, env: environment(pod) };
  };

  it('reach Temporal by a certificate from its secret, or by an API key from its secret', async () => {
    const { pod, env } = await worker(CERTIFICATE);
    expect(env).toMatchObject({
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/etc/temporal/tls/tls.crt',
      TEMPORAL_TLS_CLIENT_KEY_PATH: '/etc/temporal/tls/tls.key',
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/run/secrets/incode/temporal-ca',
    });
    expect(pod.volumes).toContainEqual({ name: 'temporal-tls', secret: { secretName: 'client', defaultMode: 0o440 } });
    const withKey = await worker(API_KEY);
    expect(withKey.env).toMatchObject({
      TEMPORAL_API_KEY_FILE: '/run/secrets/incode/temporal-api-key',
      TEMPORAL_TLS_SERVER_NAME: 'acme.tmprl.cloud',
    });
    const items = [{ key: 'api-key', path: 'temporal-api-key' }];
    expect(withKey.pod.volumes[0].projected.sources).toContainEqual({ secret: { name: 'temporal-api-key', items } });
    // The controller sets the variable itself.
    const controlled = await worker(CONTROLLER, API_KEY);
    expect(controlled.env).not.toHaveProperty('TEMPORAL_API_KEY_FILE');
  });

  it('mount a volume with images of people', async () => {
    const { pod, env } = await worker([
      ...['--set-json', 'worker.volumes=[{"name":"images","persistentVolumeClaim":{"claimName":"images"}}]'],
      ...['--set-json', 'worker.volumeMounts=[{"name":"images","mountPath":"/images","readOnly":true}]'],
      ...['--set', 'worker.env.INCODE_IMAGE_ROOTS=/images'],
    ]);
    expect(env).toMatchObject({ INCODE_IMAGE_ROOTS: '/images' });
    expect(pod.volumes).toContainEqual({ name: 'images', persistentVolumeClaim: { claimName: 'images' } });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'images', mountPath: '/images', readOnly: true });
  });

  it('that are one version say which', async () => {
    const { env } = await worker(set('worker.versioning.mode=manual', BUILD('1.4.0')));
    const { INCODE_API_KEY_FILE, TEMPORAL_INCODE_ENCRYPTION_KEYS_FILE, ...rest } = env;
    const config = readConfig({ ...rest, INCODE_API_KEY: 'key', TEMPORAL_INCODE_ALLOW_PLAINTEXT: 'true' });
    expect(config.deployment).toEqual({ deploymentName: 'incode-onboarding', buildId: '1.4.0' });
  });

  it('have no fixed number when they are scaled', async () => {
    for (const scaling of [HPA, KEDA]) {
      for (const versions of [[], CONTROLLER]) {
        const { objects } = await worker(scaling, versions);
        const [deployment] = objects.filter(
          ({ kind, metadata }) => /Deployment$/.test(kind) && metadata.name === 'incode-worker',
        );
        expect(deployment.spec.replicas).toBeUndefined();
      }
    }
  });

  it('get credentials of the Worker Controller once, from the same secret', async () => {
    const { pod, objects } = await worker(CONTROLLER, CERTIFICATE);
    const names = pod.containers[0].env.map(({ name }: { name: string }) => name);
    const byController = ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'TEMPORAL_TLS', 'TEMPORAL_TLS_CLIENT_CERT_PATH'];
    expect(names.filter((name: string) => byController.includes(name))).toEqual([]);
    expect(pod.volumes.map(({ name }: { name: string }) => name)).toEqual(['secrets']);
    const connection = objects.find(({ kind }) => kind === 'Connection');
    expect(connection.spec).toEqual({ hostPort: 'temporal.example:7233', mutualTLSSecretRef: { name: 'client' } });
  });

  it('are scaled by KEDA with the backlog of the default task queues, and with credentials of the same secret', async () => {
    const { objects } = await worker(KEDA, API_KEY);
    const scaled = objects.find(({ kind }) => kind === 'ScaledObject').spec;
    expect(scaled.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'incode-worker' });
    expect(scaled.triggers.map(({ metadata }: KubernetesObject) => metadata.taskQueue)).toEqual([
      TASK_QUEUE,
      BULK_TASK_QUEUE,
    ]);
    for (const { metadata, authenticationRef } of scaled.triggers) {
      expect(metadata).toMatchObject({ endpoint: 'temporal.example:7233', namespace: 'default' });
      expect(authenticationRef).toEqual({ name: 'incode-worker' });
    }
    expect(objects.find(({ kind }) => kind === 'TriggerAuthentication').spec).toEqual({
      secretTargetRef: [{ parameter: 'apiKey', name: 'temporal-api-key', key: 'api-key' }],
    });
  });

  it('of each version are scaled by what the Worker Controller fills in', async () => {
    const { objects } = await worker(CONTROLLER, KEDA);
    const { spec } = objects.find(
      ({ kind, metadata }) => kind === 'WorkerResourceTemplate' && /autoscaling$/.test(metadata.name),
    );
    expect(spec.template.spec.scaleTargetRef).toEqual({});
    for (const { metadata } of spec.template.spec.triggers) {
      expect(metadata).toMatchObject({ namespace: '', workerDeploymentName: '', workerDeploymentBuildId: '' });
    }
  });
});

describe('the codec server of the chart', () => {
  it('is configured, and mounts only its tokens and the encryption keys', async () => {
    const objects = await render(set('codecServer.enabled=true', 'codecServer.origins={https://cloud.temporal.io}'));
    const [pod] = podsOf(objects).filter(({ containers }) => containers[0].name === 'codec-server');
    const env = environment(pod);
    expect(pod.volumes.flatMap(({ projected }: KubernetesObject) => projected.sources)).toEqual([
      { secret: { name: 'incode-codec-tokens', items: [{ key: 'codec-tokens', path: 'codec-tokens' }] } },
      { secret: { name: 'incode-encryption-keys', items: [{ key: 'encryption-keys', path: 'encryption-keys' }] } },
    ]);
    const config = readCodecServerConfig({
      CODEC_SERVER_HOST: env.CODEC_SERVER_HOST,
      CODEC_SERVER_ORIGINS: env.CODEC_SERVER_ORIGINS,
      CODEC_SERVER_TOKENS: 'a-token-of-sixteen-characters',
      TEMPORAL_INCODE_ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
    });
    expect(config).toMatchObject({ host: '0.0.0.0', origins: ['https://cloud.temporal.io'] });
    expect(pod.containers[0].ports).toEqual([{ name: 'http', containerPort: config.port }]);
    expect(
      Object.keys(env).filter((name) => name.startsWith('TEMPORAL_') && !name.startsWith('TEMPORAL_INCODE_')),
    ).toEqual([]);
  });
});

describe('the gateway of the chart', () => {
  const gateway = async (...options: string[][]) => {
    const objects = await render([...set('gateway.enabled=true'), ...options.flat()]);
    const [pod] = podsOf(objects).filter(({ containers }) => containers[0].name === 'gateway');
    return { objects, pod, env: environment(pod) };
  };

  it('mounts only its tokens, the encryption keys and what reaches Temporal', async () => {
    const sources = async (...options: string[][]) => {
      const { pod } = await gateway(...options);
      const projected = pod.volumes.flatMap((volume: KubernetesObject) => volume.projected?.sources ?? []);
      return projected.map(({ secret }: KubernetesObject) => `${secret.name} ${secret.items[0].path}`);
    };
    const own = ['incode-gateway-tokens gateway-tokens', 'incode-encryption-keys encryption-keys'];
    expect(await sources()).toEqual(own);
    expect(await sources(API_KEY)).toEqual([...own, 'temporal-api-key temporal-api-key']);
    const { pod, env } = await gateway(CERTIFICATE);
    expect(pod.volumes.map(({ name }: KubernetesObject) => name)).toContain('temporal-tls');
    expect(env).toMatchObject({ TEMPORAL_TLS_CLIENT_KEY_PATH: '/etc/temporal/tls/tls.key' });
  });

  it('receives lists in a folder with a limit, because its file system is read-only', async () => {
    const { pod } = await gateway();
    expect(pod.volumes).toContainEqual({ name: 'temporary', emptyDir: { sizeLimit: '1Gi' } });
    expect(pod.containers[0].volumeMounts).toContainEqual({ name: 'temporary', mountPath: '/tmp' });
  });

  it('is configured for tokens behind an ingress, which lets every path through', async () => {
    const { objects, pod, env } = await gateway(set('gateway.ingress.enabled=true', 'gateway.ingress.host=a.example'));
    expect(env).toMatchObject({ GATEWAY_TOKENS_FILE: '/run/secrets/incode/gateway-tokens' });
    const directory = mkdtempSync(join(tmpdir(), 'temporal-incode-chart-'));
    const file = join(directory, 'tokens');
    writeFileSync(file, `billing start sha256:${'0'.repeat(64)}\n`);
    const config = readGatewayConfig({ ...env, GATEWAY_TOKENS_FILE: file });
    rmSync(directory, { recursive: true });
    expect(pod.containers[0].ports).toEqual([
      { name: 'http', containerPort: config.port },
      { name: 'metrics', containerPort: config.metricsAddress?.port },
    ]);
    const { spec } = objects.find(({ kind, metadata }) => kind === 'Ingress' && metadata.name === 'incode-gateway');
    expect(spec.rules[0].http.paths).toEqual([
      {
        path: '/',
        pathType: 'Prefix',
        backend: { service: { name: 'incode-gateway', port: { name: 'http' } } },
      },
    ]);
    expect(spec.tls).toEqual([{ hosts: ['a.example'], secretName: 'incode-gateway' }]);
  });
});

describe('monitoring of the chart', () => {
  it('names the jobs as ops/alerts.yml and the dashboard expect', async () => {
    const objects = await render(EVERYTHING);
    const { spec } = objects.find(({ kind }) => kind === 'PodMonitor');
    const [relabeling] = spec.podMetricsEndpoints[0].relabelings;
    const jobs = spec.selector.matchExpressions[0].values.map((component: string) =>
      relabeling.replacement.replace('$1', component),
    );
    expect(jobs).toEqual(['temporal-incode-worker', 'temporal-incode-webhooks', 'temporal-incode-gateway']);
    expect(read('ops/alerts.yml')).toContain(`job="${jobs[0]}"`);
    for (const {
      kind,
      spec: { template },
    } of objects.filter((object) => object.kind === 'Deployment')) {
      const { ports, name } = template.spec.containers[0];
      expect([kind, name, ports.some((port: { name: string }) => port.name === 'metrics')]).toEqual([
        kind,
        name,
        name !== 'codec-server',
      ]);
    }
  });

  it('makes a PrometheusRule of all alerts of ops/alerts.yml', async () => {
    const rule = (await render(EVERYTHING)).find(({ kind }) => kind === 'PrometheusRule');
    expect(rule.spec).toEqual(parse(read('ops/alerts.yml')));
  });
});
