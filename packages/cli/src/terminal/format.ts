/** `1.86 MB`: decimal units, three significant digits. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [divisor, unit] = bytes < 999_500 ? [1e3, 'kB'] : bytes < 999_500_000 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${significant(bytes / divisor)} ${unit}`;
}

/** `2.31 ms`; from a second on `1.20 s`. */
export function formatMs(ms: number): string {
  return ms < 999.5 ? `${significant(ms)} ms` : `${significant(ms / 1000)} s`;
}

/** A share as a percentage: `74.38 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(2).replace('-', '−')} %`;
}

/** The ends of an interval of shares as percentages: `[70.8, 77.7]`. */
export function formatInterval({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [low, high].map((share) => (100 * share).toFixed(1).replace('-', '−'));
  return `[${from}, ${to}]`;
}

/** A difference in points, signed: `+0.16`, `−0.31`, `0.00`. */
export function formatPoints(share: number): string {
  const text = (100 * Math.abs(share)).toFixed(2);
  return Number(text) === 0 ? text : `${share < 0 ? '−' : '+'}${text}`;
}

function significant(value: number): string {
  // Rounding must not add a digit: 9.996 is 10.0.
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
