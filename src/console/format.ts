/** The largest unit first. */
const UNITS: readonly [unit: 'day' | 'hour' | 'minute' | 'second', ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const counts = new Intl.NumberFormat('en-US');

export function count(value: number): string {
  return counts.format(value);
}

/** Such as "3 minutes ago" or "in 2 days". */
export function relativeTime(at: string, now = Date.now()): string {
  const ms = Date.parse(at) - now;
  const [unit, size] = unitOf(Math.abs(ms));
  return relative.format(Math.round(ms / size), unit);
}

const PARTS = [
  { size: 86_400_000, letter: 'd', smaller: 3_600_000, smallerLetter: 'h' },
  { size: 3_600_000, letter: 'h', smaller: 60_000, smallerLetter: 'min' },
  { size: 60_000, letter: 'min', smaller: 1_000, smallerLetter: 's' },
] as const;

/** Such as "2 d 3 h" or "4.2 s": the two largest units. */
export function duration(ms: number): string {
  const parts = PARTS.find(({ size }) => ms >= size);
  if (!parts) return `${(Math.max(0, ms) / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const whole = `${Math.floor(ms / parts.size)} ${parts.letter}`;
  const rest = Math.floor((ms % parts.size) / parts.smaller);
  return rest === 0 ? whole : `${whole} ${rest} ${parts.smallerLetter}`;
}

/** Date and time of the reader's clock, which every country reads in the same way. */
export function dateTime(at: string | Date): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(date)}`;
}

export function clock(at: string | Date, seconds = true): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return seconds ? `${time}:${two(date.getSeconds())}` : time;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function unitOf(ms: number): (typeof UNITS)[number] {
  return UNITS.find(([, size]) => ms >= size) ?? ['second', 1_000];
}
