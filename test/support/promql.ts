import { parser } from '@prometheus-io/lezer-promql';
import type { Sample } from './exposition.js';

/** The metrics and labels that an expression uses. */
export interface Asked {
  selectors: Selector[];
  /** Labels by which it groups or joins. */
  groupedBy: string[];
}

interface Selector {
  name: string;
  /** Used over a range of time, as in `rate`, or only in `absent`. */
  isOverTime: boolean;
  matchers: { label: string; operator: string; value: string }[];
}

/**
 * Parses an expression with Prometheus' own grammar.
 *
 * @throws Error if it is not valid PromQL
 */
export function parsePromQl(expression: string): Asked {
  const asked: Asked = { selectors: [], groupedBy: [] };
  const text = ({ from, to }: { from: number; to: number }) => expression.slice(from, to);
  parser.parse(expression).iterate({
    enter({ type, name, node }) {
      if (type.isError) throw new Error(`Not PromQL at ${node.from}: ${expression}`);
      if (name === 'VectorSelector') {
        const metric = node.getChild('Identifier');
        if (!metric) throw new Error(`A selector without a name: ${expression}`);
        const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        asked.selectors.push({
          name: text(metric),
          isOverTime: node.parent?.name === 'MatrixSelector' || /^absent\($/.test(before(expression, node.from)),
          matchers: matchers.map((matcher) => {
            const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((part) =>
              matcher.getChild(part),
            );
            if (!label || !operator || !value) throw new Error(`A matcher that is not understood: ${expression}`);
            return { label: text(label), operator: text(operator), value: text(value).slice(1, -1) };
          }),
        });
      }
      if (name === 'GroupingLabels') asked.groupedBy.push(...node.getChildren('LabelName').map(text));
    },
  });
  return asked;
}

/** The function call whose only argument is the selector, if any. */
function before(expression: string, at: number): string {
  return /\w+\($/.exec(expression.slice(0, at))?.[0] ?? '';
}

export function isSelected({ labels }: Sample, { matchers }: Selector): boolean {
  return matchers.every(({ label, operator, value }) => {
    const actual = labels[label];
    if (actual === undefined) return false;
    const isLike = operator.includes('~') ? new RegExp(`^(?:${value})$`).test(actual) : actual === value;
    return operator.startsWith('!') ? !isLike : isLike;
  });
}
