import type { Limit, MissedLimit } from '@edgewise/compiler';
import { formatBytes, formatMs } from '../terminal/format.ts';

interface LimitWords {
  readonly option: string;
  readonly what: string;
  readonly format: (value: number) => string;
}

const WORDS: Readonly<Record<Limit, LimitWords>> = {
  downloadBytes: { option: '--max-size', what: 'size', format: formatBytes },
  latencyP50Ms: { option: '--max-latency', what: 'latency', format: formatMs },
  latencyP95Ms: { option: '--max-latency-p95', what: 'p95 latency', format: formatMs },
  peakMemoryBytes: { option: '--max-memory', what: 'memory', format: formatBytes },
  drop: { option: '--max-drop', what: 'drop', format: (value) => `${(100 * value).toFixed(2)}%` },
};

/** `size 3.10 MB > 3.00 MB` */
export function missedText({ limit, allowed, measured }: MissedLimit): string {
  const { what, format } = WORDS[limit];
  return `${what} ${format(measured)} > ${format(allowed)}`;
}

/** `--max-size to 3.20 MB`: with a little room above what was measured. */
export function limitText({ limit, measured }: MissedLimit): string {
  const { option, format } = WORDS[limit];
  return `${option} to ${format(measured * ROOM)}`;
}

/** Measurements vary from run to run. */
const ROOM = 1.03;
