// Draws docs/demo.svg: runs the demo and draws its terminal output line by line. Run it after the demo's output has changed.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const TARGET = `${root}/docs/demo.svg`;

const CHARACTER = { width: 7.8, height: 18 };
const MARGIN = 16;
/** Longer pauses are shortened. */
const LONGEST_PAUSE_S = 1.2;
const HOLD_S = 6;
/** ANSI foreground colors of a dark terminal. */
const COLORS = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341' };

const lines = await record('node', ['dist/cli/main.js', 'demo']);
writeFileSync(TARGET, drawn([{ text: '$ npx temporal-incode demo', at: 0 }, ...lines]));
console.log(`docs/demo.svg: ${lines.length} lines`);

/** @returns the lines that the command printed, each with its time in seconds; long pauses are shortened */
async function record(command, args) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, FORCE_COLOR: '1', npm_command: 'exec' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const found = [];
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      for (const text of parts) found.push({ text, at: performance.now() / 1_000 });
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`The demo ended with ${code}`);
  let shown = 1;
  let before = found[0].at;
  return found.map(({ text, at }) => {
    shown += Math.min(at - before, LONGEST_PAUSE_S);
    before = at;
    // Replaces this run's free port with the usual one.
    return { text: text.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:8233'), at: shown };
  });
}

function drawn(lines) {
  const columns = Math.max(...lines.map(({ text }) => stripVTControlCharacters(text).length));
  const width = Math.ceil(columns * CHARACTER.width + 2 * MARGIN);
  const height = lines.length * CHARACTER.height + 2 * MARGIN;
  const total = (lines.at(-1).at + HOLD_S).toFixed(1);
  const rules = lines.map(
    ({ at }, index) =>
      `#l${index}{animation:l${index} ${total}s infinite step-end}@keyframes l${index}{0%{opacity:0}${((100 * at) / total).toFixed(1)}%{opacity:1}}`,
  );
  const texts = lines.map(
    ({ text }, index) =>
      `<text id="l${index}" x="${MARGIN}" y="${MARGIN + (index + 0.75) * CHARACTER.height}" xml:space="preserve">${spans(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>The demo: sessions that complete after an outage, after a lost answer and after a killed worker</title>
<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#e6edf3}
@media(prefers-reduced-motion:no-preference){${rules.join('')}}</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${texts.join('\n')}
</svg>
`;
}

function spans(text) {
  const [first, ...parts] = text.replace(/[&<>]/g, escaped).split('\u001b[');
  return parts.reduce((drawn, part) => {
    const end = part.indexOf('m');
    const color = COLORS[part.slice(0, end)];
    const word = part.slice(end + 1);
    return drawn + (color ? `<tspan fill="${color}">${word}</tspan>` : word);
  }, first);
}

function escaped(character) {
  return { '&': '&amp;', '<': '&lt;', '>': '&gt;' }[character];
}
