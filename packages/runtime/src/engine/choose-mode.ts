import type { Mode } from './modes.ts';

/**
 * The relaxed program's `probe`: reads 16 bytes at `a` (weights, signed) and at `b` (activations), writes four i32 at
 * `out`. Kind 0: dot products of four; kind 1: the same through 16-bit sums of pairs.
 */
export type Probe = (kind: number, a: number, b: number, out: number) => void;

export const PROBE_BYTES = 48;

/** About a millisecond. The factor of `round` below is odd: every lane sees every activation value. */
const ROUNDS = 512;
const LARGEST_WEIGHT = 127;
/** Mode `pairs` takes weights whose neighbours of one sign sum to no more. */
const LARGEST_PAIR = 128;

interface Candidate {
  readonly mode: Mode;
  readonly kind: 0 | 1;
  /** How the activation byte counts. */
  readonly activation: (byte: number) => number;
}

const unsigned = (byte: number): number => byte;
const signed = (byte: number): number => (byte << 24) >> 24;

/** Fastest first. */
const CANDIDATES: readonly Candidate[] = [
  { mode: 'u8', kind: 0, activation: unsigned },
  { mode: 's8', kind: 0, activation: signed },
  { mode: 'pairs', kind: 1, activation: unsigned },
];

/**
 * Finds how this CPU and engine evaluate relaxed dot products: the fastest mode that agrees with integer arithmetic
 * on the extremes and on a seeded random sample, else `i16`, which is exact everywhere. Uses 48 bytes at `address`.
 * Without `hasReliableDot` the four-product dots are out, whatever the probe says.
 */
export function chooseMode(
  probe: Probe,
  memory: ArrayBufferLike,
  address: number,
  hasReliableDot: boolean,
): Mode {
  const candidates = CANDIDATES.filter(({ kind }) => hasReliableDot || kind === 1);
  return candidates.find((candidate) => isExact(candidate, probe, memory, address))?.mode ?? 'i16';
}

function isExact(
  { kind, activation }: Candidate,
  probe: Probe,
  memory: ArrayBufferLike,
  address: number,
): boolean {
  const weights = new Int8Array(memory, address, 16);
  const activations = new Uint8Array(memory, address + 16, 16);
  const out = new Int32Array(memory, address + 32, 4);
  let state = 1;
  // Knuth's MMIX multiplier truncated to 32 bits; the high bits are random enough for operands.
  const random = (): number => (state = (Math.imul(state, 0x5851f42d) + 0x14057b7f) >>> 0) >>> 8;

  for (let round = 0; round < ROUNDS; round++) {
    const isExtreme = round < 64;
    for (let lane = 0; lane < 16; lane++) {
      const isSecond = kind === 1 && lane % 2 === 1;
      const magnitude = isExtreme ? LARGEST_WEIGHT : random() % (LARGEST_WEIGHT + 1);
      const weight = random() & 1 ? magnitude : -magnitude;
      weights[lane] = isSecond ? besides(weights[lane - 1] ?? 0, weight) : weight;
      activations[lane] = isExtreme ? ([0, 127, 128, 255][random() & 3] ?? 0) : round * 67 + lane * 17;
    }
    if (round === 0) {
      // All sums at their largest: what saturates, saturates here.
      weights.fill(kind === 0 ? LARGEST_WEIGHT : LARGEST_PAIR / 2);
      activations.fill(255);
    }
    probe(kind, address, address + 16, address + 32);
    for (let group = 0; group < 4; group++) {
      let sum = 0;
      for (let lane = group * 4; lane < group * 4 + 4; lane++) {
        sum += (weights[lane] ?? 0) * activation(activations[lane] ?? 0);
      }
      if (out[group] !== sum) return false;
    }
  }
  return true;
}

/** The weight beside another one, made small enough for mode `pairs`. */
function besides(neighbour: number, weight: number): number {
  const isSameSign = neighbour < 0 === weight < 0;
  const most = isSameSign ? LARGEST_PAIR - Math.abs(neighbour) : LARGEST_WEIGHT;
  return Math.max(-most, Math.min(most, weight));
}
