import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitWinogradInt8,
  int8PanelBytes,
  kernelMatrix,
  packInt8,
  patchBytes,
  tileRowPixels,
  winogradInt8ScratchBytes,
  type Rung,
  type WinogradInt8Spec,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig, type ModeName } from './harness.ts';
import {
  foldedBias,
  mapStride,
  mapValues,
  padded,
  putMap,
  randomBytes,
  randomGeometry,
  randomKernel,
  roundUp,
  type KernelOptions,
} from './random-maps.ts';

// 3×3 convolutions with fewer products, as cases.ts.

/** Modes in which the kernel is used. */
const MODES: ReadonlySet<ModeName> = new Set<ModeName>(['i16', 'pairs']);

export function winogradInt8Case(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  options: KernelOptions,
): KernelCase {
  return {
    name: `winogradInt8 w${options.bits}${options.extreme ? ' extreme' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [channels, n] = [random.int(1, 40), random.int(1, 30)];
      const xStride = mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, xStride, '3x3');
      const kernel = randomKernel(random, { filters: n, channels, groups: 1, taps: 9 }, options);
      const yZeroPoint = random.int(0, 255);
      const x = {
        channels,
        values: randomBytes(random, window.height * window.width * channels, options.extreme),
      };
      const expected = reference.convBytes(x, kernel, window, outHeight, yZeroPoint);

      const k = patchBytes(window);
      const panels = new Int8Array(int8PanelBytes(k, n));
      const matrix = kernelMatrix(kernel.weights, { filters: n, channels, taps: 9, stride: window.tapBytes });
      const { columnSums } = packInt8(matrix, k, n, panels);
      const pixels = outHeight * window.outWidth;
      const yStride = mapStride(n);
      const isRoundable = random.int(0, 1) === 1;
      const spec: WinogradInt8Spec = { n, isRoundable, zeroPoint: yZeroPoint, yStride, window };
      const rig = new KernelRig(rung, (library) => emitWinogradInt8(library, spec, pixels));
      const fixed = {
        weights: rig.put(panels),
        bias: rig.put(foldedBias(kernel, columnSums, window.zeroPoint)),
        multiplier: rig.put(padded(kernel.multiplier, roundUp(n, 8))),
        scratch: rig.allocate(winogradInt8ScratchBytes(spec, pixels)),
      };
      const unit = tileRowPixels(window);
      const split = Math.min(pixels, random.int(0, Math.ceil(pixels / unit)) * unit);
      for (const mode of modes.filter((name) => MODES.has(name))) {
        rig.setMode(mode);
        const args = {
          ...fixed,
          x: putMap(rig, x.values, channels, xStride, mode),
          y: rig.allocate(pixels * yStride),
        };
        rig.call({ ...args, m0: 0, m1: split });
        rig.call({ ...args, m0: split, m1: pixels });
        expectSame(mapValues(rig, args.y, pixels, n, yStride, mode), expected, `mode ${mode}`);
        rig.checkGuards();
      }
    },
  };
}
