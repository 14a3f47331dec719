import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitWinogradF32,
  emitWinogradInt8,
  int8PanelBytes,
  kernelMatrix,
  packFloatWeights,
  packInt8,
  patchBytes,
  tileRowPixels,
  winogradF32ScratchBytes,
  winogradInt8ScratchBytes,
  type Activation,
  type Rung,
  type WindowSpec,
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
    name: `winogradInt8 w${options.weights}${options.extreme ? ' extreme' : ''} seed=${seed}`,
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
      const blocks = blocksOf(random, window, pixels);
      for (const mode of modes.filter((name) => MODES.has(name))) {
        rig.setMode(mode);
        const args = {
          ...fixed,
          x: putMap(rig, x.values, channels, xStride, mode),
          y: rig.allocate(pixels * yStride),
        };
        for (const block of blocks) rig.call({ ...args, ...block });
        expectSame(mapValues(rig, args.y, pixels, n, yStride, mode), expected, `mode ${mode}`);
        rig.checkGuards();
      }
    },
  };
}

/** Of the largest output: transforms lose some bits. */
const TOLERANCE = 2e-5;

export function winogradF32Case(rung: Rung, seed: number): KernelCase {
  return {
    name: `winogradF32 seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [channels, n] = [random.int(1, 30), random.int(1, 20)];
      const xStride = roundUp(channels, 8);
      const geometry = randomGeometry(random, channels, 4 * xStride, '3x3');
      const { zeroPoint: _, ...bytes } = geometry.window;
      const window = { ...bytes, tapBytes: 4 * channels };
      const { outHeight } = geometry;
      const x = { channels, values: random.normal(window.height * window.width * channels, 0, 2) };
      const kernel = {
        filters: n,
        groups: 1,
        weights: random.normal(9 * n * channels),
        bias: random.normal(n),
      };
      const activation = random.pick<Activation>(['none', 'relu', 'mish', { kind: 'clip', low: 0, high: 6 }]);
      const expected = reference.winogradF32(x, kernel, window, outHeight, activation);
      const direct = reference.convF32(x, kernel, window, outHeight, activation);
      const largest = direct.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expected.forEach((value, index) => {
        if (Math.abs(value - direct[index]!) > TOLERANCE * largest)
          throw new Error(`${value} instead of ${direct[index]} at ${index}`);
      });

      const matrix = Float32Array.from({ length: 9 * channels * n }, (_value, index) => {
        const [row, filter] = [Math.floor(index / n), index % n];
        const [tap, channel] = [Math.floor(row / channels), row % channels];
        return kernel.weights[(filter * channels + channel) * 9 + tap]!;
      });
      const pixels = outHeight * window.outWidth;
      const yStride = roundUp(n, 8);
      const spec = { n, activation, yStride: 4 * yStride, window };
      const rig = new KernelRig(rung, (library) => emitWinogradF32(library, spec, pixels));
      const args = {
        x: rig.put(x.values, channels, xStride),
        weights: rig.put(packFloatWeights(matrix, 9 * channels, n)),
        bias: rig.put(padded(kernel.bias, yStride)),
        multiplier: 0,
        y: rig.allocate(4 * pixels * yStride),
        scratch: rig.allocate(winogradF32ScratchBytes(spec, pixels)),
      };
      const blocks = blocksOf(random, window, pixels);
      for (const block of blocks) rig.call({ ...args, ...block });
      expectSame(rig.floats(args.y, pixels, n, yStride), expected, 'winogradF32');
      rig.checkGuards();
    },
  };
}

/** One or two blocks of all pixels; the second begins at an even row. */
function blocksOf(
  random: SeededRandom,
  window: WindowSpec,
  pixels: number,
): readonly { m0: number; m1: number }[] {
  const unit = tileRowPixels(window);
  const split = Math.min(pixels, random.int(1, Math.ceil(pixels / unit)) * unit);
  const blocks = [
    { m0: 0, m1: split },
    { m0: split, m1: pixels },
  ];
  return blocks.filter(({ m0, m1 }) => m0 < m1);
}
