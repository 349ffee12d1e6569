/** A metric in an answer of `/metrics`. */
export interface Family {
  name: string;
  type: string;
  help: string;
  samples: Sample[];
}

export interface Sample {
  /** The name with `_bucket`, `_sum` or `_count`, if it is part of a histogram. */
  name: string;
  labels: Record<string, string>;
  value: number;
}

/**
 * Parses Prometheus' text format strictly.
 *
 * @throws Error with the invalid line
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('The last line has no end');
  const families = new Map<string, Family>();
  let family: Family | undefined;
  for (const line of text.split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (line === '') continue;
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`Twice: ${line}`);
      family = { name, type: '', help: rest, samples: [] };
      families.set(name, family);
    } else if (keyword === 'TYPE') {
      if (family?.name !== name) throw new Error(`Without help: ${line}`);
      family.type = rest;
    } else {
      const sample = parseSample(line);
      const base = family?.type === 'histogram' ? sample.name.replace(/_(bucket|sum|count)$/, '') : sample.name;
      if (family?.name !== base) throw new Error(`Of no family: ${line}`);
      family.samples.push(sample);
    }
  }
  return families;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/y;

function parseSample(line: string): Sample {
  const [, name, inside = '', text] = SAMPLE.exec(line) ?? [];
  const value = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text === 'Nan' || text === 'NaN' ? 'NaN' : text);
  if (name === undefined || (Number.isNaN(value) && !/^nan$/i.test(text ?? ''))) throw new Error(`No sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inside.length) {
    const match = LABEL.exec(inside);
    if (!match) throw new Error(`No labels: ${line}`);
    labels[String(match[1])] = String(match[2]);
  }
  return { name, labels, value };
}
