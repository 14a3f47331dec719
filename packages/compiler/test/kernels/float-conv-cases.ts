import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  convF32ScratchBytes,
  depthwiseF32ScratchBytes,
  emitConvF32,
  emitDepthwiseF32,
  emitRepeated,
  packDepthwiseF32,
  packFloatWeights,
  type Activation,
  type Rung,
  type WindowSpec,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig } from './harness.ts';
import { padded, randomGeometry, roundUp } from './random-maps.ts';

// Convolutions over maps of floats, as cases.ts.

const FLOAT_ACTIVATIONS: Activation[] = [
  'none',
  'relu',
  'mish',
  'hard_swish',
  { kind: 'clip', low: 0, high: 6 },
  { kind: 'leaky_relu', slope: 0.1 },
  { kind: 'hard_sigmoid', slope: 0.2, offset: 0.5 },
  { kind: 'elu', amplitude: 1.5, scale: 1.1, rate: 0.7 },
];

/** A map of floats, a window over it, and the output's pixels in two parts, whole rows each. */
export function randomFloatMap(
  random: SeededRandom,
  channels: number,
): {
  x: { channels: number; values: Float32Array };
  window: WindowSpec;
  outHeight: number;
  halves: { m0: number; m1: number }[];
} {
  const { window: bytes, outHeight } = randomGeometry(random, channels, 4 * roundUp(channels, 8), 'any');
  const { zeroPoint: _, ...window } = bytes;
  const pixels = outHeight * window.outWidth;
  const split = random.int(0, outHeight) * window.outWidth;
  return {
    x: { channels, values: random.normal(window.height * window.width * channels, 0, 2) },
    window: { ...window, tapBytes: 4 * channels },
    outHeight,
    halves: [
      { m0: 0, m1: split },
      { m0: split, m1: pixels },
    ],
  };
}

export function floatConvCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `convF32 seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const groups = random.pick([1, 1, 2, 3, 5]);
      const [perGroup, n] = [random.int(1, Math.ceil(20 / groups)), random.int(1, Math.ceil(20 / groups))];
      const [channels, filters] = [groups * perGroup, groups * n];
      const { x, window: all, outHeight, halves } = randomFloatMap(random, channels);
      const window = { ...all, tapBytes: 4 * perGroup };
      const [taps, pixels] = [window.kernel[0] * window.kernel[1], outHeight * window.outWidth];
      const activation = random.pick(FLOAT_ACTIVATIONS);
      const kernel = {
        filters,
        groups,
        weights: random.normal(filters * perGroup * taps),
        bias: random.normal(filters),
      };
      const width = roundUp(n, 8);
      const yStride = roundUp(filters - n + width, 8);
      const spec = { n, activation, yStride, window };
      const weightsOf = (group: number): Float32Array => {
        const matrix = Float32Array.from({ length: n * perGroup * taps }, (_, index) => {
          const [row, filter] = [Math.floor(index / n), group * n + (index % n)];
          const [tap, channel] = [Math.floor(row / perGroup), row % perGroup];
          return kernel.weights[(filter * perGroup + channel) * taps + tap]!;
        });
        return packFloatWeights(matrix, taps * perGroup, n);
      };
      const rig = new KernelRig(rung, (library) =>
        emitRepeated(library, emitConvF32(library, spec), {
          count: groups,
          steps: { x: window.tapBytes, weights: taps * window.tapBytes * width, bias: 4 * width, y: 4 * n },
        }),
      );
      const parts = Array.from({ length: groups }, (_, group) => group);
      const args = {
        x: rig.put(x.values, channels, roundUp(channels, 8)),
        weights: rig.put(Float32Array.from(parts.flatMap((group) => [...weightsOf(group)]))),
        bias: rig.put(
          Float32Array.from(
            parts.flatMap((group) => [...padded(kernel.bias.subarray(group * n, (group + 1) * n), width)]),
          ),
        ),
        y: rig.allocate(4 * pixels * yStride),
        scratch: rig.allocate(convF32ScratchBytes(spec, pixels)),
      };
      for (const half of halves) rig.call({ ...args, ...half });
      expectSame(
        rig.floats(args.y, pixels, filters, yStride),
        reference.convF32(x, kernel, window, outHeight, activation),
        `convF32 in ${groups} groups`,
      );
      rig.checkGuards();
    },
  };
}

export function floatDepthwiseCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `depthwiseF32 seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 20);
      const stride = roundUp(channels, 8);
      const { x, window, outHeight, halves } = randomFloatMap(random, channels);
      const [taps, pixels] = [window.kernel[0] * window.kernel[1], outHeight * window.outWidth];
      const activation = random.pick(FLOAT_ACTIVATIONS);
      const single = {
        filters: channels,
        groups: channels,
        weights: random.normal(channels * taps),
        bias: random.normal(channels),
      };
      const deep = { ...window, channels, activation, yStride: stride };
      const depthwise = new KernelRig(rung, (library) => emitDepthwiseF32(library, deep));
      const deepArgs = {
        x: depthwise.put(x.values, channels, stride),
        weights: depthwise.put(packDepthwiseF32(single.weights, channels, taps)),
        bias: depthwise.put(padded(single.bias, stride)),
        y: depthwise.allocate(4 * pixels * stride),
        scratch: depthwise.allocate(depthwiseF32ScratchBytes(deep)),
      };
      for (const half of halves) depthwise.call({ ...deepArgs, ...half });
      expectSame(
        depthwise.floats(deepArgs.y, pixels, channels, stride),
        reference.convF32(x, single, window, outHeight, activation),
        'depthwiseF32',
      );
      depthwise.checkGuards();
    },
  };
}
