import uPlot from 'uplot';
import { OUTCOMES } from '../../contract/types.js';
import type { OverviewHour } from '../../gateway/types.js';
import { h, update } from '../dom.js';
import { clock, count } from '../format.js';
import { FAILED, OUTCOME_WORDS, type Word } from '../words.js';

/** What the bars are made of, from below. */
const PARTS: readonly { key: string; word: Word; of(hour: OverviewHour): number }[] = [
  ...OUTCOMES.map((outcome) => ({
    key: outcome,
    word: OUTCOME_WORDS[outcome],
    of: ({ outcomes }: OverviewHour) => outcomes[outcome],
  })),
  { key: 'failed', word: FAILED, of: ({ failed }) => failed },
];

const HEIGHT = 200;
/** Bars fill this share of their hour. */
const BAR_WIDTH = 0.72;
const MAX_BAR_PX = 40;

export interface OutcomesChart {
  element: HTMLElement;
  show(hours: readonly OverviewHour[]): void;
  stop(): void;
}

/** Outcomes by hour as stacked bars, with the sums as a legend and all numbers as a table. */
export function outcomesChart(): OutcomesChart {
  const canvas = h('div', { class: 'chart', 'aria-hidden': 'true' });
  const legend = h('ul', { class: 'legend' });
  const hovered = h('p', { class: 'quiet hovered', 'aria-hidden': 'true' });
  const table = h('details', {}, h('summary', {}, 'Show the numbers'), h('div', { class: 'scroll', tabindex: '0' }));
  const element = h('div', {}, legend, canvas, hovered, table);
  let plot: uPlot | undefined;
  let hours: readonly OverviewHour[] = [];

  const draw = () => {
    plot?.destroy();
    plot = undefined;
    if (hours.length > 0 && canvas.clientWidth > 0) plot = newPlot(canvas, hours, (at) => showHour(hovered, hours[at]));
  };
  const resized = new ResizeObserver(() => {
    if (plot && canvas.clientWidth > 0) plot.setSize({ width: canvas.clientWidth, height: HEIGHT });
    else draw();
  });
  resized.observe(canvas);
  // The colors are read when the chart is drawn.
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', draw);
  return {
    element,
    show(next) {
      hours = next;
      update(legend, ...PARTS.map((part) => legendEntry(part, hours)));
      update(table.lastElementChild as Element, numbers(hours));
      draw();
    },
    stop() {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot?.destroy();
    },
  };
}

function legendEntry({ key, word, of }: (typeof PARTS)[number], hours: readonly OverviewHour[]): HTMLElement {
  return h(
    'li',
    { 'data-outcome': key },
    h('span', { class: `swatch ${key}`, 'aria-hidden': 'true' }),
    h('span', {}, word.label),
    h('strong', { class: 'number' }, count(hours.reduce((sum, hour) => sum + of(hour), 0))),
  );
}

function numbers(hours: readonly OverviewHour[]): HTMLElement {
  const head = ['Hour', ...PARTS.map(({ word }) => word.label)].map((text) => h('th', { scope: 'col' }, text));
  const rows = hours.map((hour) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row', class: 'number' }, hourOf(hour)),
      ...PARTS.map(({ of }) => h('td', { class: 'number' }, count(of(hour)))),
    ),
  );
  return h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
}

function showHour(element: HTMLElement, hour: OverviewHour | undefined): void {
  const found = hour ? PARTS.filter(({ of }) => of(hour) > 0) : [];
  const texts = found.map(({ word, of }) => `${word.label} ${count(hour ? of(hour) : 0)}`);
  element.textContent = hour ? `${hourOf(hour)}: ${texts.join(', ') || 'none'}` : '';
}

function hourOf({ from }: OverviewHour): string {
  const start = new Date(from);
  return `${clock(start, false)}–${clock(new Date(start.getTime() + 3_600_000), false)}`;
}

function newPlot(parent: HTMLElement, hours: readonly OverviewHour[], onHour: (at: number) => void): uPlot {
  const color = (name: string) => getComputedStyle(parent).getPropertyValue(`--${name}`).trim();
  const bars = uPlot.paths.bars?.({ size: [BAR_WIDTH, MAX_BAR_PX] });
  // Each bar is drawn over the one that contains it, the whole sum first.
  const stacked = PARTS.map(({ of }, top) =>
    hours.map((hour) =>
      of(hour) === 0 ? null : PARTS.slice(0, top + 1).reduce((sum, part) => sum + part.of(hour), 0),
    ),
  );
  const axis = {
    stroke: color('quiet'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: color('line'), width: 1 },
    ticks: { show: false },
  };
  return new uPlot(
    {
      width: parent.clientWidth,
      height: HEIGHT,
      padding: [8, 8, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: [-0.6, hours.length - 0.4] },
        y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.1))] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 56,
          incrs: [1, 2, 3, 4, 6, 12],
          values: (_, at) => at.map((index) => (hours[index] ? clock(hours[index].from, false) : '')),
        },
        {
          ...axis,
          size: 48,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
        },
      ],
      series: [
        {},
        ...[...PARTS].reverse().map(({ key }) => ({
          fill: color(key),
          width: 0,
          points: { show: false },
          ...(bars ? { paths: bars } : {}),
        })),
      ],
      hooks: { setCursor: [(chart) => onHour(chart.cursor.idx ?? -1)] },
    },
    [hours.map((_, at) => at), ...stacked.reverse()],
    parent,
  );
}
