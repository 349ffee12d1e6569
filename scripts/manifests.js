// Writes manifests for those who do not use Helm: ops/kubernetes.yml, ops/gateway.yml and ops/worker-controller.yml, rendered from the chart. A test fails
// if they are out of date.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { helm } from './tools.js';

const ops = fileURLToPath(new URL('../ops', import.meta.url));

const HEADER =
  '# Rendered from the chart in helm/ by `npm run manifests`. Change the chart, not this file. See docs/kubernetes.md.';

/** The files with the options that each is rendered with. */
export const MANIFESTS = {
  'kubernetes.yml': [],
  'gateway.yml': [
    ...['--set', 'gateway.enabled=true'],
    // These are in kubernetes.yml.
    ...['--set', 'worker.enabled=false,webhooks.enabled=false'],
  ],
  'worker-controller.yml': [
    ...['--values', join(ops, 'helm/examples/worker-controller.yaml')],
    // The receiver is the one of kubernetes.yml.
    ...['--set', 'webhooks.enabled=false', '--show-only', 'templates/worker-controller.yaml'],
  ],
};

/** @returns the text of a file of {@link MANIFESTS} */
export async function manifest(file) {
  const args = ['template', 'incode', join(ops, 'helm'), ...MANIFESTS[file]];
  const { stdout } = await promisify(execFile)(await helm(), args, { maxBuffer: 2 ** 24 });
  const objects = stdout
    .split(/^---\n/m)
    .map((text) => text.replace(/^# Source: .*\n/, '').replace(/^ *app\.kubernetes\.io\/managed-by: Helm\n/gm, ''))
    .map((text) => text.trim())
    .filter(Boolean);
  return `${HEADER}\n${objects.join('\n---\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const file of Object.keys(MANIFESTS)) await writeFile(join(ops, file), await manifest(file));
}
