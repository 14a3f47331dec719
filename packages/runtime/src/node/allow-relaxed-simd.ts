import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

const isExperimental = process.versions.node.startsWith('20.');

/**
 * Node 20 has relaxed SIMD behind a V8 flag; from 21 on it is always there. Without it the slower program runs.
 * The flag only adds instructions, so setting it for the whole process changes nothing else.
 */
export function allowRelaxedSimd(): void {
  if (isExperimental) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

/**
 * Node 20's baseline compiler gets the four-product dot wrong when it runs out of registers, which the probe's few
 * operands never make it do; the form with 16-bit sums of pairs is right.
 */
export const hasReliableDot: boolean = !isExperimental;
