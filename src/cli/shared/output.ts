import { once } from 'node:events';
import { styleText } from 'node:util';
import yoctoSpinner from 'yocto-spinner';
import type { ScoreAnswer } from '../../contract/index.js';
import { withoutKnownSecrets } from '../../secrets/index.js';
import { asTyped } from './program.js';
import { tableLines } from './table.js';

/**
 * Results go to stdout, everything else to stderr, so that a pipe gets results only. What was asked for stands there whole, a
 * redirection URL too; this process's own keys are never asked for.
 */
export function printJson(value: unknown): void {
  process.stdout.write(`${withoutKnownSecrets(json(value, 2))}\n`);
}

/** JSON leaves some characters unescaped that a terminal obeys. */
export function json(value: unknown, indent?: number): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, indent).replace(STEERING, (found) => (found === '\n' ? found : escaped(found)));
}

/** Waits for a slow reader, so that what it has not read yet does not fill the memory. */
export async function writeOut(text: string): Promise<void> {
  if (!process.stdout.write(text)) await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]);
}

const COLOURS = {
  green: ['approved', 'completed', 'ok'],
  yellow: ['needsToken', 'needsReview', 'undecided', 'expired', 'cancelled', 'warning'],
  red: ['rejected', 'failed', 'terminated', 'timedOut'],
} as const;

/** A word by what it means for whoever has to act; only on a terminal, as NO_COLOR and FORCE_COLOR say. */
export function coloured(word: string): string {
  const [colour] = Object.entries(COLOURS).find(([, words]) => words.some((known) => known === word)) ?? [];
  return colour ? styleText(colour as keyof typeof COLOURS, word, { stream: process.stdout }) : word;
}

/** Control characters, and those that reverse the direction of text. */
const STEERING = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of Incode, Temporal or a file must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(STEERING, '?');
}

/** The same for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(STEERING, (found) => (found === '\n' || found === '\t' ? found : '?'));
}

export function scoreInWords(score: ScoreAnswer | null | undefined): string | null | undefined {
  return score?.value ? `${score.status} (${score.value})` : score?.status;
}

/** One fact a line; absent ones are left out. */
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

/** @param wide cut no cell, also where the terminal is narrower than the table */
export function printTable(head: string[], rows: string[][], wide = false): void {
  const width = process.stdout.isTTY && !wide ? process.stdout.columns : undefined;
  for (const line of tableLines(head, rows, width)) process.stdout.write(`${line}\n`);
}

/** A moment as people read it: how far away it is, and when exactly. */
export function moment(at: Date, now = Date.now()): string {
  const isOver = at.getTime() <= now;
  const distance = age(isOver ? at : new Date(now - (at.getTime() - now)), now);
  return `${isOver ? `${distance} ago` : `in ${distance}`} (${at.toISOString().replace(/\.\d+Z$/, 'Z')})`;
}

const UNITS = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** @returns how long ago, such as `3m` or `2d`, in the largest unit */
export function age(at: Date, now = Date.now()): string {
  const seconds = Math.max(0, Math.floor((now - at.getTime()) / 1_000));
  const [unit, inSeconds] = Object.entries(UNITS).find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / inSeconds)}${unit}`;
}

export interface Progress {
  say(text: string): void;
  stop(): void;
}

/** A spinner on a terminal, and a line for each change elsewhere, so that a log stays readable. */
export function startProgress(text: string): Progress {
  const progress = shownProgress(printable(text));
  return { ...progress, say: (next) => progress.say(printable(next)) };
}

function shownProgress(text: string): Progress {
  if (process.stderr.isTTY) {
    const spinner = yoctoSpinner({ text, stream: process.stderr }).start();
    return {
      say: (next) => {
        spinner.text = next;
      },
      stop: () => void spinner.stop(),
    };
  }
  let last = '';
  const say = (next: string) => {
    if (next !== last) process.stderr.write(`${next}\n`);
    last = next;
  };
  say(text);
  return { say, stop: () => undefined };
}
