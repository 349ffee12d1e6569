import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { helm, KUBERNETES_VERSIONS, kubeconform, kubernetesSchemas } from '../../scripts/tools.js';

export const CHART = fileURLToPath(new URL('../../ops/helm', import.meta.url));
/** Schemas of custom resources, written after the definitions that their projects publish. */
const CUSTOM = fileURLToPath(new URL('../ops/schemas', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes of any kind
export type KubernetesObject = any;

/** Runs Helm with the chart. @throws Error with Helm's message */
export async function runHelm(command: string[], options: string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(await helm(), [...command, CHART, ...options], { maxBuffer: 2 ** 24 });
  return stdout;
}

const rendered = new Map<string, Promise<string>>();

/** @param options such as `['--set', 'worker.replicas=3']` */
export async function render(options: string[] = []): Promise<KubernetesObject[]> {
  const key = JSON.stringify(options);
  const output = rendered.get(key) ?? runHelm(['template', 'incode', '--namespace', 'identity'], options);
  rendered.set(key, output);
  // Kubernetes reads YAML 1.1, where 0440 is octal.
  return parseAllDocuments(await output, { version: '1.1' })
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}

/** @returns what kubeconform has against the objects, in the oldest and the newest version of Kubernetes */
export async function problemsOf(objects: KubernetesObject[]): Promise<string[]> {
  const schemas = await kubernetesSchemas();
  const problems = await Promise.all(
    KUBERNETES_VERSIONS.map(async (version) => {
      const file = '{{.ResourceKind}}{{.KindSuffix}}.json';
      const locations = [`${schemas}/${version}/${file}`, `${CUSTOM}/${file}`].flatMap((location) => [
        '-schema-location',
        location,
      ]);
      const child = spawn(await kubeconform(), ['-strict', '-kubernetes-version', version, ...locations, '-']);
      child.stdin.end(objects.map((object) => stringify(object)).join('---\n'));
      const [output] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
      return output.split('\n').filter(Boolean);
    }),
  );
  return problems.flat();
}

/** Pods of deployments, and pods that the Worker Controller makes. */
export function podsOf(objects: KubernetesObject[]): KubernetesObject[] {
  return objects
    .filter(({ kind }) => ['Deployment', 'WorkerDeployment'].includes(kind))
    .map(({ spec }) => spec.template.spec);
}

/** The names and values of a container's variables. */
export function environment({ containers }: KubernetesObject): Record<string, string> {
  return Object.fromEntries(containers[0].env.map(({ name, value }: { name: string; value: string }) => [name, value]));
}
