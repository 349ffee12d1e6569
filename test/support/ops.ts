import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

interface Container {
  env: { name: string; value: string }[];
  resources: { limits: { memory: string } };
}

/** The containers of ops/kubernetes.yml: the worker's, then the receiver's. */
export function containers(): Container[] {
  const text = readFileSync(new URL('../../ops/kubernetes.yml', import.meta.url), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  return objects.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.template.spec.containers[0]);
}

/** Of a quantity of Kubernetes such as `768Mi`. */
export function megabytes(quantity = ''): number {
  const [, value, unit] = /^(\d+)(Mi|Gi)$/.exec(quantity) ?? [];
  return Number(value) * (unit === 'Gi' ? 1_024 : 1);
}
