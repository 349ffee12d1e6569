import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

interface Container {
  name: string;
  env: { name: string; value: string }[];
  resources: { limits: { memory: string } };
}

/** The container of ops/kubernetes.yml with this name. */
export function container(name: 'worker' | 'webhooks'): Container {
  const text = readFileSync(new URL('../../ops/kubernetes.yml', import.meta.url), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  const containers = objects
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap(({ spec }) => spec.template.spec.containers);
  const found = containers.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`ops/kubernetes.yml has no container "${name}"`);
  return found;
}

/** Of a quantity of Kubernetes such as `768Mi`. */
export function megabytes(quantity = ''): number {
  const [, value, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(value) * (unit === 'Gi' ? 1_024 : 1);
}
