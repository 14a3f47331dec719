import { CompilerError } from '../../diagnostics/index.ts';
import { ScratchMachine, STRIP_BYTES } from '../../wasm/index.ts';
import type { ValueRange } from '../grids/activation-grid.ts';
import { extentModule, TURN_BYTES, type ExtentKernels } from './kernels/extent-kernel.ts';

const machine: ScratchMachine<ExtentKernels> = new ScratchMachine<ExtentKernels>(extentModule);

const TURN = TURN_BYTES / 4;
const STRIP = STRIP_BYTES / 4;

/**
 * Smallest and largest element; Infinity … −Infinity for no elements.
 * @throws CompilerError `bad-file` for a NaN or an infinity.
 */
export function extent(values: Float32Array): ValueRange {
  let [min, max] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at += STRIP) {
    const strip = values.subarray(at, at + STRIP);
    const length = Math.ceil(strip.length / TURN) * TURN;
    const { kernels, buffer } = machine.reserve(4 * (length + 3 * TURN));
    const scratch = new Float32Array(buffer, 0, length + 3 * TURN);
    scratch.fill(strip[0]!, strip.length, length);
    scratch.set(strip);
    kernels.findExtents(0, 4 * length, 4 * length);
    if (scratch.subarray(length + 2 * TURN).some(Number.isNaN))
      throw new CompilerError('bad-file', 'the activations hold a NaN or an infinity', {
        hint: 'the float model overflows on this sample: look at its inputs, or leave the sample out',
      });
    min = Math.min(min, ...scratch.subarray(length, length + TURN));
    max = Math.max(max, ...scratch.subarray(length + TURN, length + 2 * TURN));
  }
  return { min, max };
}
