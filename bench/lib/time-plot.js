import { COLOURS, escaped, image } from './svg.js';

const WIDTH = 900;
const PANEL = { left: 70, width: 800, height: 150, gap: 62 };
const TOP = 46;

/**
 * Lines over time, one panel a figure, as SVG that can be read on white and on black.
 *
 * @param panels `{title, unit, series: {name: [[seconds, value], …]}}` each; all have the same names and times
 */
export function timePlot(title, panels) {
  const height = TOP + panels.length * (PANEL.height + PANEL.gap);
  const seconds = Math.max(1, ...panels.flatMap(({ series }) => Object.values(series).flat()).map(([at]) => at));
  const body = panels.map((panel, i) => drawn(panel, TOP + i * (PANEL.height + PANEL.gap), seconds)).join('\n');
  return image({ title, width: WIDTH, height, left: PANEL.left }, body);
}

function drawn({ title, unit, series }, top, seconds) {
  const most = niceAbove(Math.max(...Object.values(series).flatMap((points) => points.map(([, value]) => value))));
  const x = (at) => PANEL.left + (at / seconds) * PANEL.width;
  const y = (value) => top + 20 + PANEL.height - (value / most) * PANEL.height;
  const names = Object.keys(series);
  return [
    `<text x="${PANEL.left}" y="${top + 12}">${escaped(title)}, ${escaped(unit)}</text>`,
    ...names.map(
      (name, i) =>
        `<text x="${PANEL.left + 400 + i * 150}" y="${top + 12}" style="fill:${COLOURS[i]}">${escaped(name)}</text>`,
    ),
    ...[0, most / 2, most].map(
      (value) =>
        `<line class="grid" x1="${PANEL.left}" x2="${PANEL.left + PANEL.width}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text x="${PANEL.left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
    ),
    ...minutesUpTo(seconds).map(
      (minute) =>
        `<text x="${x(minute * 60)}" y="${top + PANEL.height + 36}" text-anchor="middle">${minute} min</text>`,
    ),
    ...names.map((name, i) => {
      const points = series[name].map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
      return `<polyline fill="none" stroke-width="1.5" stroke="${COLOURS[i]}" points="${points}"/>`;
    }),
  ].join('\n');
}

function minutesUpTo(seconds) {
  const step = Math.max(1, Math.ceil(seconds / 60 / 10));
  return Array.from({ length: Math.floor(seconds / 60 / step) + 1 }, (_, i) => i * step);
}

/** 1, 2 or 5 times a power of ten, or a half of it. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 4, 5, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value);
}
