/** @param share from 0 to 1 */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values) {
  return percentile(values, 0.5);
}

export function rounded(value, digits = 1) {
  return Number(value.toFixed(digits));
}

/** The median of several runs, with the least and the most of them. */
export function withSpread(values, digits = 1) {
  const [mid, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return { median: rounded(mid, digits), least: rounded(least, digits), most: rounded(most, digits) };
}

export function inWords({ median: mid, least, most }) {
  return least === most ? `${mid}` : `${mid} (${least}–${most})`;
}
