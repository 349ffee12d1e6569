import { readdirSync, readFileSync } from 'node:fs';
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

/** @returns the fields after the name of the process. The name is in parentheses and may contain spaces and parentheses */
function statOf(pid) {
  return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
}

/** @returns the sum of these fields in seconds: 11 and 12 are the processor time of the process, 13 and 14 that of its ended children */
function secondsOf(pid, fields) {
  const stat = statOf(pid);
  const ticks = fields.reduce((sum, field) => sum + Number(stat[field]), 0);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}

/** @returns processor seconds since the start of the process */
function cpuSeconds(pid) {
  return secondsOf(pid, [11, 12]);
}

function childrenOf(pid) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && statOf(name)[1] === String(pid));
}

/** The processor seconds of a process and of its children, such as PostgreSQL's, which has one for each connection. */
function familySeconds(pid) {
  const own = secondsOf(pid, [11, 12, 13, 14]);
  return own === null ? null : childrenOf(pid).reduce((sum, child) => sum + (cpuSeconds(child) ?? 0), own);
}

/** @returns resident memory in MB of a process and its children, without the memory that they share, or `null` */
export function familyMb(pid) {
  const sizes = [pid, ...childrenOf(pid)].map(
    (member) => /^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${member}/smaps_rollup`))?.[1],
  );
  const known = sizes.filter((kb) => kb !== undefined);
  return known.length === 0 ? null : Math.round(known.reduce((sum, kb) => sum + Number(kb), 0) / 1_024);
}

/** Whose processes are counted together. */
const FAMILIES = ['postgres'];

/**
 * @param pids by name
 * @returns a function that tells how many seconds of the processors each has used since, and what is not ours, which tells
 * whether the cores were shared
 */
export function measureCpu(pids) {
  const startedAt = performance.now();
  const used = () =>
    Object.fromEntries(
      Object.entries(pids).map(([name, pid]) => [name, FAMILIES.includes(name) ? familySeconds(pid) : cpuSeconds(pid)]),
    );
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
