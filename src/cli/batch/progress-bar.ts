import { SingleBar } from 'cli-progress';
import type { BatchRunProgress } from '../../client/index.js';
import { formatCount } from '../../contract/counted.js';
import { printable } from '../shared/output.js';

export interface BatchProgressDisplay {
  /** In milliseconds. */
  interval: number;
  show(progress: BatchRunProgress): void;
  stop(): void;
}

/** Shows a bar on a terminal. Elsewhere it writes a line every few seconds, so that a log stays readable. */
export function progressDisplay(total: number): BatchProgressDisplay {
  return process.stderr.isTTY ? bar(total) : lines(total);
}

function bar(total: number): BatchProgressDisplay {
  const shown = new SingleBar({
    format: '{bar} {percentage} % | {text}',
    stream: process.stderr,
    hideCursor: true,
    // The command handles Ctrl-C itself and detaches.
    gracefulExit: false,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  });
  shown.start(total, 0, { text: 'begins' });
  return {
    interval: 1_000,
    show: (progress) =>
      shown.update(progress.done + progress.failed + progress.stopped, { text: progressText(progress, total) }),
    stop: () => shown.stop(),
  };
}

function lines(total: number): BatchProgressDisplay {
  return {
    interval: 5_000,
    show: (progress) => void process.stderr.write(`${progressText(progress, total)}\n`),
    stop: () => undefined,
  };
}

export function progressText(progress: BatchRunProgress, total: number): string {
  const { done, failed, stopped, waiting, perSecond, timeLeftMs, paused, heldUpBy } = progress;
  return [
    `${formatCount(done + failed + stopped)} of ${formatCount(total)}`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(stopped > 0 ? [`${formatCount(stopped)} stopped`] : []),
    ...(waiting > 0 ? [`${formatCount(waiting)} waiting`] : []),
    rate(perSecond),
    ...(timeLeftMs ? [`${duration(timeLeftMs)} left`] : []),
    ...(paused ? ['paused'] : []),
    ...(heldUpBy ? [`held up: ${printable(heldUpBy)}`] : []),
  ].join(', ');
}

/** People from images end at some a minute, sessions at some a second. */
function rate(perSecond: number): string {
  const isSlow = perSecond > 0 && perSecond < 1;
  return isSlow ? `${formatCount(perSecond * 60)}/min` : `${formatCount(perSecond)}/s`;
}

export function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
