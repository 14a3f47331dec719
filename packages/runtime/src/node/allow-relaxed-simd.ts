import process from 'node:process';
import { setFlagsFromString } from 'node:v8';

/**
 * Node 20 has relaxed SIMD behind a V8 flag; from 21 on it is always there. Without it the slower program runs.
 * The flag only adds instructions, so setting it for the whole process changes nothing else.
 */
export function allowRelaxedSimd(): void {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
}
