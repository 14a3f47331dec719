import { describe, expect, it } from 'vitest';
import { chooseMode, PROBE_BYTES, type Probe } from './choose-mode.ts';

type Dot = (weights: Int8Array, activations: Uint8Array, kind: number) => number;

const signed = (byte: number): number => (byte << 24) >> 24;
const saturate = (x: number): number => Math.max(-32768, Math.min(32767, x));
const wrap = (x: number): number => (x << 16) >> 16;

/** A CPU: `dot` says how it sums four products, in pairs where it does. */
function probeOf(dot: Dot, memory: ArrayBuffer): Probe {
  return (kind, a, b, out) => {
    const sums = new Int32Array(memory, out, 4);
    for (let group = 0; group < 4; group++) {
      sums[group] = dot(
        new Int8Array(memory, a + group * 4, 4),
        new Uint8Array(memory, b + group * 4, 4),
        kind,
      );
    }
  };
}

const sum = (weights: Int8Array, activations: Uint8Array, activation: (byte: number) => number): number =>
  weights.reduce((total, w, i) => total + w * activation(activations[i] ?? 0), 0);
const pairs = (
  w: Int8Array,
  x: Uint8Array,
  activation: (byte: number) => number,
  clamp: (sum: number) => number,
): number =>
  [0, 2]
    .map((i) => (w[i] ?? 0) * activation(x[i] ?? 0) + (w[i + 1] ?? 0) * activation(x[i + 1] ?? 0))
    .reduce((total, pair) => total + clamp(pair), 0);

const vnni: Dot = (w, x) => sum(w, x, (byte) => byte);
const armDot: Dot = (w, x) => sum(w, x, signed);
const maddubs: Dot = (w, x) => pairs(w, x, (byte) => byte, saturate);

describe('chooseMode', () => {
  it.each<[string, Dot, string]>([
    ['x86 with AVX-VNNI', vnni, 'u8'],
    ['Arm with dot product', armDot, 's8'],
    ['x86 without VNNI: saturating pairs', maddubs, 'pairs'],
    ['Arm without dot product: wrapping pairs of signed bytes', (w, x) => pairs(w, x, signed, wrap), 's8'],
    ['u8 in one place, s8 in the other', (w, x, kind) => (kind === 0 ? armDot : vnni)(w, x, kind), 's8'],
    ['7 bits of the activation', (w, x) => sum(w, x, (byte) => byte & 127), 'i16'],
    ['nothing is written', () => 0, 'i16'],
  ])('%s', (_, dot, mode) => {
    const memory = new ArrayBuffer(16 + PROBE_BYTES);
    expect(chooseMode(probeOf(dot, memory), memory, 16, true)).toBe(mode);
  });

  it.each<[string, (w: Int8Array, x: Uint8Array) => boolean]>([
    ['one activation value', (_, x) => x.includes(200)],
    ['the largest sum', (w, x) => w.every((value) => value === 127) && x.every((value) => value === 255)],
    ['the smallest weight beside the largest activation', (w, x) => w[0] === -127 && x[0] === 255],
    ['one lane with one value', (_, x) => x[3] === 129],
  ])('falls back when VNNI is wrong for %s', (_, isWrong) => {
    const memory = new ArrayBuffer(PROBE_BYTES);
    const dot: Dot = (w, x, kind) => vnni(w, x, kind) + (kind === 0 && isWrong(w, x) ? 1 : 0);
    expect(chooseMode(probeOf(dot, memory), memory, 0, true)).toBe('pairs');
  });

  it('leaves the four-product dot alone where it is not reliable', () => {
    const memory = new ArrayBuffer(PROBE_BYTES);
    expect(chooseMode(probeOf(vnni, memory), memory, 0, false)).toBe('pairs');
    expect(chooseMode(probeOf(armDot, memory), memory, 0, false)).toBe('i16');
  });

  it('takes about a millisecond', () => {
    const memory = new ArrayBuffer(PROBE_BYTES);
    const probe = probeOf(maddubs, memory);
    let calls = 0;
    chooseMode((...args) => (calls++, probe(...args)), memory, 0, true);
    expect(calls).toBeLessThan(3000);
  });
});
