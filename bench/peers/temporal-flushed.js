import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCacheDir, findTemporalBinary } from '../../dist/testing/server/binary.js';
import { say } from '../lib/report.js';
import { startServer } from '../lib/world.js';

/** A dev server that flushes its file at each commit, as the databases of some peers do: by a program in front of it. */
export async function startFlushedTemporal(directory) {
  const { env } = process;
  const { path } = await findTemporalBinary({ env, cacheDir: defaultCacheDir(env), onProgress: say });
  const program = join(directory, 'temporal-flushed');
  writeFileSync(
    program,
    `#!/bin/sh
for argument do
  shift
  if [ "$argument" = synchronous=NORMAL ]; then argument=synchronous=FULL; fi
  set -- "$@" "$argument"
done
exec '${path}' "$@"
`,
  );
  chmodSync(program, 0o755);
  return startServer({ onDisk: true, cli: program });
}
