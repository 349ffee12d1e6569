import { readFileSync } from 'node:fs';
import { rounded } from './statistics.js';

// Of Linux, where a process's figures are files; elsewhere they are `null`.

/** @returns resident memory in MB, now and at its highest */
export function memoryMb(pid) {
  const status = read(`/proc/${pid}/status`);
  const of = (name) => {
    const kb = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return kb === undefined ? null : Math.round(Number(kb) / 1_024);
  };
  return { now: of('VmRSS'), highest: of('VmHWM') };
}

/** Of the kernel's clock, on every usual Linux. */
const TICKS_PER_SECOND = 100;

/** @returns processor seconds since the start of the process */
function cpuSeconds(pid) {
  // The name stands in parentheses, and may contain anything.
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}

/**
 * @param pids by name
 * @returns a function that tells how many seconds of the processors each has used since, and what is not ours, which tells
 * whether the cores were shared
 */
export function measureCpu(pids) {
  const startedAt = performance.now();
  const used = () => Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSeconds(pid)]));
  const [before, busyBefore] = [used(), busySeconds()];
  return () => {
    const ours = Object.entries(used()).map(([name, now]) => [name, rounded(now - before[name], 2)]);
    const busy = busySeconds() - busyBefore;
    const others = busy - ours.reduce((sum, [, seconds]) => sum + seconds, 0);
    return {
      seconds: rounded((performance.now() - startedAt) / 1_000, 2),
      ...Object.fromEntries(ours),
      others: rounded(Math.max(0, others), 2),
    };
  };
}

/** Of all processors together: everything but idle and waiting for a disk. */
function busySeconds() {
  const [user, nice, system, , , ...interrupts] =
    /^cpu +(.*)$/m.exec(read('/proc/stat'))?.[1].split(' ').map(Number) ?? [];
  return (user + nice + system + interrupts[0] + interrupts[1]) / TICKS_PER_SECOND;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
