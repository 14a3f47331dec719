import v8 from 'node:v8';
import { describe, it } from 'vitest';
import { kernelCases } from './cases.ts';

// Node 20 hides relaxed SIMD behind a flag, and its baseline compiler gets i32x4.relaxed_dot_i8x16_i7x16_add_s wrong
// when registers are scarce (right in its optimizing one, and in Chromium): so the baseline one is off. A loader's
// self-test has to find that by itself.
v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
v8.setFlagsFromString('--no-liftoff');

describe.each(['relaxed', 'simd'] as const)('kernels equal their references, rung %s', (rung) => {
  // oxlint-disable-next-line vitest/expect-expect -- a case throws what differs.
  it.each(kernelCases(rung))('$name', ({ run }) => run());
});
