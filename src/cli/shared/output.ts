import { once } from 'node:events';
import { styleText } from 'node:util';
import yoctoSpinner from 'yocto-spinner';
import type { ScoreAnswer } from '../../contract/index.js';
import { withoutKnownSecrets } from '../../secrets/index.js';
import { asTyped } from './program.js';
import { tableLines } from './table.js';

/**
 * Results go to stdout and everything else to stderr, so that a pipe gets only results. Results are complete, including redirection
 * URLs. Only this process's own secrets are redacted.
 */
export function printJson(value: unknown): void {
  process.stdout.write(`${withoutKnownSecrets(json(value, 2))}\n`);
}

/** Escapes control characters that JSON leaves unescaped and a terminal would interpret. */
export function json(value: unknown, indent?: number): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(STEERING, (found) => (found === '\n' ? found : escaped(found)));
}

/** Waits for a slow reader, so that unread output does not fill the memory. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
}

const COLORS = {
  green: ['approved', 'completed', 'ok'],
  yellow: ['needsToken', 'needsReview', 'undecided', 'expired', 'cancelled', 'warning'],
  red: ['rejected', 'failed', 'terminated', 'timedOut'],
} as const;

/** Colors a word by urgency. Only on a terminal, and controlled by NO_COLOR and FORCE_COLOR. */
export function colored(word: string): string {
  const [color] = Object.entries(COLORS).find(([, words]) => words.some((known) => known === word)) ?? [];
  return color ? styleText(color as keyof typeof COLORS, word, { stream: process.stdout }) : word;
}

/** Control characters and characters that change the text direction. */
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text from Incode, Temporal or a file must not control the terminal. */
export function printable(text: string): string {
  return text.replace(STEERING, '?');
}

/** As `printable`, for text with several lines. */
export function printableLines(text: string): string {
  return text.replace(STEERING, (found) => (found === '\n' || found === '\t' ? found : '?'));
}

export function scoreInWords(score: ScoreAnswer | null | undefined): string | null | undefined {
  return score?.value ? `${score.status} (${score.value})` : score?.status;
}

/** Prints one fact per line and omits missing ones. */
export function printFacts(
  facts: Record<string, string | number | null | undefined>,
  stream: NodeJS.WritableStream = process.stdout,
): void {
  const known = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  for (const [name, value] of known) {
    stream.write(`${printable(name).padEnd(width)}  ${asTyped(printable(String(value)))}\n`);
  }
}

/** @param wide print whole cells even if the table is wider than the terminal */
export function printTable(head: string[], rows: string[][], wide = false): void {
  const width = process.stdout.isTTY && !wide ? process.stdout.columns : undefined;
  for (const line of tableLines(head, rows, width)) process.stdout.write(`${line}\n`);
}

/** A relative and an exact time, such as `3m ago (2026-…)`. */
export function moment(at: Date, now = Date.now()): string {
  const isOver = at.getTime() <= now;
  const distance = age(isOver ? at : new Date(now - (at.getTime() - now)), now);
  return `${isOver ? `${distance} ago` : `in ${distance}`} (${at.toISOString().replace(/\.\d+Z$/, 'Z')})`;
}

const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** @returns the age in its largest unit, such as `3m` or `2d` */
export function age(at: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - at.getTime()) / 1_000));
  const [unit, inSeconds] = Object.entries(UNITS).find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / inSeconds)}${unit}`;
}

/** Prints to stderr. */
export function printNotice(text: string): void {
  process.stderr.write(`${asTyped(printableLines(text))}\n`);
}

export interface Progress {
  show(text: string): void;
  stop(): void;
}

/** Shows a spinner on a terminal. Elsewhere it writes one line per change, so that a log stays readable. */
export function startProgress(text: string): Progress {
  const progress = shownProgress(printable(text));
  return { ...progress, show: (next) => progress.show(printable(next)) };
}

function shownProgress(text: string): Progress {
  if (process.stderr.isTTY) {
    const spinner = yoctoSpinner({ text, stream: process.stderr }).start();
    return {
      show: (next) => {
        spinner.text = next;
      },
      stop: () => void spinner.stop(),
    };
  }
  let last = '';
  const show = (next: string) => {
    if (next !== last) printNotice(next);
    last = next;
  };
  show(text);
  return { show, stop: () => undefined };
}
