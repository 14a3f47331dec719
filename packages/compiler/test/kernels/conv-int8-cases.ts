import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  convInt8ScratchBytes,
  depthwiseInt8ScratchBytes,
  emitConvInt8,
  emitDepthwiseInt8,
  emitRepeated,
  int8PanelBytes,
  kernelMatrix,
  packDepthwiseWeights,
  packInt8,
  pairFormOf,
  patchBytes,
  type ConvInt8Spec,
  type DepthwiseInt8Spec,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import { joinArrays } from '../../src/targets/edge/weights/join-arrays.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig, type ModeName } from './harness.ts';
import {
  roundUp,
  mapStride,
  randomGeometry,
  putMap,
  mapValues,
  randomBytes,
  padded,
  type KernelOptions,
  randomKernel,
  foldedBias,
} from './random-maps.ts';

// Convolutions over maps of bytes, as cases.ts.

export function convCase(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  options: KernelOptions & { pointwise: boolean },
): KernelCase {
  return {
    name: `convInt8 w${options.weights}${options.pointwise ? ' pointwise' : ''}${options.extreme ? ' extreme' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const groups = options.pointwise ? 1 : random.pick([1, 1, 2, 3]);
      const [perGroup, n] = [random.int(1, Math.ceil(40 / groups)), random.int(1, Math.ceil(30 / groups))];
      const [channels, filters] = [groups * perGroup, groups * n];
      const xStride = channels <= 4 && !options.pointwise ? 4 : mapStride(channels);
      const { window: all, outHeight } = randomGeometry(
        random,
        channels,
        xStride,
        options.pointwise ? 'pointwise' : 'any',
      );
      const window = { ...all, tapBytes: roundUp(perGroup, 4) };
      const taps = window.kernel[0] * window.kernel[1];
      const kernel = randomKernel(random, { filters, channels, groups, taps }, options);
      const yZeroPoint = random.int(0, 255);
      const x = {
        channels,
        values: randomBytes(random, window.height * window.width * channels, options.extreme),
      };
      const expected = reference.convBytes(x, kernel, window, outHeight, yZeroPoint);

      const k = options.pointwise ? channels : patchBytes(window);
      const width = roundUp(n, 8);
      const matrices = Array.from({ length: groups }, (_, group) => {
        const size = kernel.weights.length / groups;
        return kernelMatrix(kernel.weights.subarray(group * size, (group + 1) * size), {
          filters: n,
          channels: perGroup,
          taps,
          stride: options.pointwise ? channels : window.tapBytes,
        });
      });
      const pairs = pairFormOf(joinArrays(matrices), n);
      if (options.weights !== 8 && pairs === 'none') throw new Error('these weights should fit pairs');
      const parts = matrices.map((matrix, group) => {
        const panels = new Int8Array(int8PanelBytes(k, n));
        const { columnSums: sums, pairFlags } = packInt8(matrix, k, n, panels);
        const bias = sums.map(
          (sum, filter) => -window.zeroPoint * sum + (filter < n ? kernel.bias[group * n + filter]! : 0),
        );
        const multiplier = padded(kernel.multiplier.subarray(group * n, (group + 1) * n), width);
        return { panels, sums, pairFlags, bias, multiplier };
      });
      const pixels = outHeight * window.outWidth;
      const yStride = mapStride(filters - n + width);
      const spec: ConvInt8Spec = {
        n,
        pairs,
        isRoundable: random.int(0, 1) === 1,
        isDotOnly: false,
        zeroPoint: yZeroPoint,
        yStride,
        window: options.pointwise ? { k, xStride } : window,
      };
      const steps = {
        x: perGroup,
        weights: int8PanelBytes(k, n),
        bias: 4 * width,
        colsum: 4 * width,
        multiplier: 4 * width,
        pairFlags: 4 * parts[0]!.pairFlags.length,
        y: n,
      };
      const rig = new KernelRig(rung, (library) =>
        emitRepeated(library, emitConvInt8(library, spec, pixels), { count: groups, steps }),
      );
      const fixed = {
        weights: rig.put(Int8Array.from(parts.flatMap(({ panels }) => [...panels]))),
        bias: rig.put(Int32Array.from(parts.flatMap(({ bias }) => [...bias]))),
        colsum: rig.put(Int32Array.from(parts.flatMap(({ sums }) => [...sums]))),
        multiplier: rig.put(Float32Array.from(parts.flatMap(({ multiplier }) => [...multiplier]))),
        pairFlags:
          pairs === 'fused' ? rig.put(Uint32Array.from(parts.flatMap(({ pairFlags }) => [...pairFlags]))) : 0,
        scratch: rig.allocate(convInt8ScratchBytes(spec, pixels)),
      };
      const split = random.int(0, pixels);
      for (const mode of modes) {
        rig.setMode(mode);
        const args = {
          ...fixed,
          x: putMap(rig, x.values, channels, xStride, mode),
          y: rig.allocate(pixels * yStride),
        };
        rig.call({ ...args, m0: 0, m1: split });
        rig.call({ ...args, m0: split, m1: pixels });
        expectSame(mapValues(rig, args.y, pixels, filters, yStride, mode), expected, `mode ${mode}`);
        rig.checkGuards();
      }
    },
  };
}

export function depthwiseCase(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  extreme: boolean,
): KernelCase {
  return {
    name: `depthwiseInt8${extreme ? ' extreme' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const stride = mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, stride, 'any');
      const taps = window.kernel[0] * window.kernel[1];
      const kernel = randomKernel(
        random,
        { filters: channels, channels, groups: channels, taps },
        { weights: 8, extreme },
      );
      const yZeroPoint = random.int(0, 255);
      const x = { channels, values: randomBytes(random, window.height * window.width * channels, extreme) };
      const expected = reference.convBytes(x, kernel, window, outHeight, yZeroPoint);
      const sums = new Int32Array(roundUp(channels, 8));
      kernel.weights.forEach((weight, index) => {
        sums[Math.floor(index / taps)]! += weight;
      });
      const isRoundable = random.int(0, 1) === 1;
      const spec: DepthwiseInt8Spec = { ...window, channels, yZeroPoint, isRoundable, yStride: stride };
      const rig = new KernelRig(rung, (library) => emitDepthwiseInt8(library, spec));
      const fixed = {
        weights: rig.put(packDepthwiseWeights(kernel.weights, channels, taps)),
        bias: rig.put(foldedBias(kernel, sums, window.zeroPoint)),
        colsum: rig.put(sums),
        multiplier: rig.put(padded(kernel.multiplier, sums.length)),
        scratch: rig.allocate(depthwiseInt8ScratchBytes(spec)),
      };
      const pixels = outHeight * window.outWidth;
      const split = random.int(0, outHeight) * window.outWidth;
      for (const mode of modes) {
        rig.setMode(mode);
        const args = {
          ...fixed,
          x: putMap(rig, x.values, channels, stride, mode),
          y: rig.allocate(pixels * stride),
        };
        rig.call({ ...args, m0: 0, m1: split });
        rig.call({ ...args, m0: split, m1: pixels });
        expectSame(mapValues(rig, args.y, pixels, channels, stride, mode), expected, `mode ${mode}`);
        rig.checkGuards();
      }
    },
  };
}
