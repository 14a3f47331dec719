import { copyRows, ScratchMachine, STRIP_BYTES } from '../../../wasm/index.ts';
import { packModule, type PackKernels } from './pack-module.ts';
import { pairFlagWords } from './pair-flags.ts';
import { roundUp } from './vector-code.ts';

const PANEL = 8;
const SUMS_BYTES = 4 * PANEL;

const machine: ScratchMachine<PackKernels> = new ScratchMachine<PackKernels>(packModule);

/** What the kernels read of an int8 weight besides its panels. */
export interface Int8PanelFacts {
  /** Column sums, padded to 8 with zeros: what the zero points are multiplied by. */
  readonly columnSums: Int32Array;
  /** Of 7-bit weights: u32 words [n/8][pairFlagWords(k)], see `pair-flags.ts`. */
  readonly pairFlags: Uint32Array;
}

/** Bytes of the panels of a weight [k][n]. */
export function int8PanelBytes(k: number, n: number): number {
  return roundUp(k, 4) * roundUp(n, PANEL);
}

/**
 * Packs a weight [k][n] for the linear kernels: `panels`, int8PanelBytes(k, n) long, gets [n/8][k/4][8 columns][4 k], n
 * padded to 8 and k to 4 with zeros.
 */
export function packInt8(values: Int8Array, k: number, n: number, panels: Int8Array): Int8PanelFacts {
  const depth = roundUp(k, 4);
  const words = pairFlagWords(k);
  const columnSums = new Int32Array(roundUp(n, PANEL));
  const pairFlags = new Uint32Array((words * columnSums.length) / PANEL);
  const widest = roundUp(Math.min(n, Math.max(1, STRIP_BYTES / Math.max(depth, 1))), PANEL);
  const at = placesFor(depth, words, widest);
  const { kernels, buffer } = machine.reserve(at.end);
  for (let first = 0; first < n; first += widest) {
    const width = Math.min(widest, n - first);
    const stride = roundUp(width, PANEL);
    const strip = new Int8Array(buffer, at.strip, depth * stride);
    if (k < depth || width < stride) strip.fill(0);
    copyRows({ from: values.subarray(first), fromStride: n, to: strip, toStride: stride, width, rows: k });
    for (let column = 0; column < width; column += PANEL) {
      kernels.packPanel(at.strip + column, stride, depth / 4, at.panels + column * depth, at.sums, at.flags);
      columnSums.set(new Int32Array(buffer, at.sums, PANEL), first + column);
      pairFlags.set(new Uint32Array(buffer, at.flags, words), ((first + column) / PANEL) * words);
    }
    panels.set(new Int8Array(buffer, at.panels, depth * stride), first * depth);
  }
  return { columnSums, pairFlags };
}

interface Places {
  readonly sums: number;
  readonly flags: number;
  readonly panels: number;
  readonly strip: number;
  readonly end: number;
}

function placesFor(depth: number, words: number, columns: number): Places {
  const flags = SUMS_BYTES;
  const panels = flags + roundUp(4 * words, 16);
  const strip = panels + depth * columns;
  return { sums: 0, flags, panels, strip, end: strip + depth * columns };
}
