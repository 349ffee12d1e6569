import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A memory limit as a container has it. */
interface MemoryLimit extends Disposable {
  /** A command that runs its arguments under the limit. */
  readonly command: readonly string[];
}

/** Control groups of Linux: version 1, and version 2 at its two usual places. */
const GROUPS = [
  ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
  ['/sys/fs/cgroup', 'memory.max'],
  ['/sys/fs/cgroup/unified', 'memory.max'],
] as const;

/** @returns `undefined` where this process may not make a control group: it takes root on Linux */
export function memoryLimit(bytes: number): MemoryLimit | undefined {
  for (const [root, file] of GROUPS) {
    const group = join(root, `temporal-incode-${randomUUID()}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    const remove = () => rmdirSync(group);
    // Elsewhere it would be an ordinary folder, which limits nothing.
    if (!existsSync(join(group, file))) {
      remove();
      continue;
    }
    writeFileSync(join(group, file), String(bytes));
    return {
      command: ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', group],
      [Symbol.dispose]: remove,
    };
  }
  return undefined;
}
