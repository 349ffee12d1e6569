import { COLOURS, escaped, image } from './svg.js';

const WIDTH = 900;
const NAMES = 190;
const TOP = 46;
const ROW = 24;

/**
 * Bars side by side, one panel a figure, as SVG.
 *
 * @param names of the rows
 * @param panels `{title, values: [number, …], texts: [string, …]}` each, in the order of the names
 */
export function barPlot(title, names, panels) {
  const height = TOP + 30 + names.length * ROW + 20;
  const width = (WIDTH - NAMES - 20) / panels.length;
  const rowAt = (i) => TOP + 30 + i * ROW;
  const labels = names.map(
    (name, i) => `<text x="${NAMES - 10}" y="${rowAt(i) + 13}" text-anchor="end">${escaped(name)}</text>`,
  );
  const bars = panels.flatMap(({ title: what, values, texts }, at) => {
    const left = NAMES + at * width;
    const most = Math.max(...values, Number.MIN_VALUE);
    // Room for the figure behind the longest bar.
    const room = width - 90;
    return [
      `<text x="${left}" y="${TOP + 12}">${escaped(what)}</text>`,
      ...values.map((value, i) => {
        const long = Math.max(1, (value / most) * room).toFixed(1);
        return (
          `<rect x="${left}" y="${rowAt(i)}" width="${long}" height="${ROW - 7}" fill="${COLOURS[at]}"/>` +
          `<text x="${left + Number(long) + 6}" y="${rowAt(i) + 13}">${escaped(texts[i])}</text>`
        );
      }),
    ];
  });
  return image({ title, width: WIDTH, height, left: 20 }, [...labels, ...bars].join('\n'));
}
