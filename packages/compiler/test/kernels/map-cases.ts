import { seededRandom, type SeededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  BYTE_LIMITS_BYTES,
  convF32ScratchBytes,
  convInt8ScratchBytes,
  depthwiseF32ScratchBytes,
  depthwiseInt8ScratchBytes,
  emitAverageBytes,
  emitAveragePool,
  emitAverageRows,
  emitBinaryBytes,
  emitConvF32,
  emitConvInt8,
  emitDepthwiseF32,
  emitDepthwiseInt8,
  emitDequantizeRows,
  emitMaxPoolBytes,
  emitMaxPoolRows,
  emitQuantizeFloats,
  emitQuantizeImage,
  emitResizeLinear,
  int8PanelBytes,
  kernelMatrix,
  packDepthwiseF32,
  packDepthwiseWeights,
  packFloatWeights,
  packInt8,
  packTaps,
  patchBytes,
  type Activation,
  type ByteGrid,
  type ConvInt8Spec,
  type DepthwiseInt8Spec,
  type LinearTap,
  type Rung,
  type ByteWindowSpec,
  type WindowSpec,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { copyCases } from './copy-cases.ts';
import { exactModes, KernelRig, type ModeName, type RigMemory } from './harness.ts';

// Kernels over maps of bytes against their plain references, to the bit.

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
const mapStride = (channels: number): number => (channels <= 8 ? 8 : roundUp(channels, 16));
const offsetOf = (mode: ModeName): number => (mode === 's8' ? 128 : 0);

interface Geometry {
  window: ByteWindowSpec;
  outHeight: number;
}

function randomGeometry(
  random: SeededRandom,
  channels: number,
  stride: number,
  pointwise: boolean,
): Geometry {
  const pair = (low: number, high: number): [number, number] => [
    random.int(low, high),
    random.int(low, high),
  ];
  const kernel = pointwise
    ? ([1, 1] as const)
    : random.pick([pair(1, 3), [3, 3], [5, 5], pair(1, 4)] as const);
  const strides = pointwise ? ([1, 1] as const) : pair(1, 2);
  const dilations = pointwise ? ([1, 1] as const) : random.pick([[1, 1], [1, 1], pair(1, 2)] as const);
  const pads = pointwise ? [0, 0, 0, 0] : Array.from({ length: 4 }, () => random.int(0, 2));
  const [height, width] = pair(1, 14);
  const extent = (axis: 0 | 1, size: number): number => {
    const span = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor((size + pads[axis]! + pads[axis + 2]! - span) / strides[axis]) + 1;
  };
  const [outHeight, outWidth] = [extent(0, height), extent(1, width)];
  if (outHeight < 1 || outWidth < 1) return randomGeometry(random, channels, stride, pointwise);
  return {
    outHeight,
    window: {
      height,
      width,
      xStride: stride,
      tapBytes: roundUp(channels, 4),
      kernel,
      strides,
      dilations,
      pads: [pads[0]!, pads[1]!],
      outWidth,
      zeroPoint: random.pick([0, 128, 255, random.int(0, 255)]),
    },
  };
}

/** A map as the mode stores it; the channels between are garbage. */
function putMap(
  rig: RigMemory,
  values: Uint8Array,
  channels: number,
  stride: number,
  mode: ModeName,
): number {
  return rig.put(
    values.map((value) => value ^ offsetOf(mode)),
    channels,
    stride,
  );
}

function mapValues(
  rig: RigMemory,
  address: number,
  pixels: number,
  channels: number,
  stride: number,
  mode: ModeName,
): Uint8Array {
  const bytes = rig.rawBytes(address, pixels * stride);
  return Uint8Array.from(
    { length: pixels * channels },
    (_, index) => bytes[Math.floor(index / channels) * stride + (index % channels)]! ^ offsetOf(mode),
  );
}

function randomBytes(random: SeededRandom, length: number, extreme: boolean): Uint8Array {
  return Uint8Array.from({ length }, () => (extreme ? random.pick([0, 255, 255]) : random.int(0, 255)));
}

function randomWeights(random: SeededRandom, length: number, bits: 7 | 8, extreme: boolean): Int8Array {
  const [low, high] = bits === 7 ? [-64, 63] : [-127, 127];
  return Int8Array.from({ length }, () => (extreme ? random.pick([low, high, high]) : random.int(low, high)));
}

function padded(values: Int32Array | Float32Array, length: number): Int32Array | Float32Array {
  const longer = values instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
  longer.set(values);
  return longer;
}

interface KernelOptions {
  bits: 7 | 8;
  extreme: boolean;
}

/** What both kinds of convolution share: weights, biases and what is expected of them. */
function randomKernel(
  random: SeededRandom,
  shape: { filters: number; channels: number; groups: number; taps: number },
  { bits, extreme }: KernelOptions,
): reference.ByteKernel {
  const { filters, channels, groups, taps } = shape;
  const depth = (channels / groups) * taps;
  return {
    filters,
    groups,
    weights: randomWeights(random, filters * depth, bits, extreme),
    bias: Int32Array.from({ length: filters }, () => random.int(-20_000, 20_000)),
    multiplier: random.uniform(filters, 0.1 / (127 * depth), 4 / (127 * depth)),
  };
}

function foldedBias({ bias }: reference.ByteKernel, sums: Int32Array, zeroPoint: number): Int32Array {
  return sums.map((sum, filter) => (bias[filter] ?? 0) - zeroPoint * sum);
}

function convCase(
  rung: Rung,
  modes: readonly ModeName[],
  seed: number,
  options: KernelOptions & { pointwise: boolean },
): KernelCase {
  return {
    name: `convInt8 w${options.bits}${options.pointwise ? ' pointwise' : ''}${options.extreme ? ' extreme' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const filters = random.int(1, 30);
      const xStride = channels <= 4 && !options.pointwise ? 4 : mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, xStride, options.pointwise);
      const taps = window.kernel[0] * window.kernel[1];
      const kernel = randomKernel(random, { filters, channels, groups: 1, taps }, options);
      const yZeroPoint = random.int(0, 255);
      const x = {
        channels,
        values: randomBytes(random, window.height * window.width * channels, options.extreme),
      };
      const expected = reference.convBytes(x, kernel, window, outHeight, yZeroPoint);

      const k = options.pointwise ? channels : patchBytes(window);
      const matrix = kernelMatrix(kernel.weights, {
        filters,
        channels,
        taps,
        stride: options.pointwise ? channels : window.tapBytes,
      });
      const panels = new Int8Array(int8PanelBytes(k, filters));
      const { columnSums: sums, pairFlags } = packInt8(matrix, k, filters, panels);
      const pixels = outHeight * window.outWidth;
      const yStride = mapStride(filters);
      const spec: ConvInt8Spec = {
        n: filters,
        bits: options.bits,
        isRoundable: random.int(0, 1) === 1,
        zeroPoint: yZeroPoint,
        yStride,
        window: options.pointwise ? { k, xStride } : window,
      };
      const rig = new KernelRig(rung, (library) => emitConvInt8(library, spec, pixels));
      const fixed = {
        weights: rig.put(panels),
        bias: rig.put(foldedBias(kernel, sums, window.zeroPoint)),
        colsum: rig.put(sums),
        multiplier: rig.put(padded(kernel.multiplier, sums.length)),
        pairFlags: options.bits === 7 ? rig.put(pairFlags) : 0,
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

function depthwiseCase(rung: Rung, modes: readonly ModeName[], seed: number, extreme: boolean): KernelCase {
  return {
    name: `depthwiseInt8${extreme ? ' extreme' : ''} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const stride = mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, stride, false);
      const taps = window.kernel[0] * window.kernel[1];
      const kernel = randomKernel(
        random,
        { filters: channels, channels, groups: channels, taps },
        { bits: 8, extreme },
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

function randomGrid(random: SeededRandom): ByteGrid {
  return { scale: random.uniform(1, 0.001, 0.1)[0]!, zeroPoint: random.pick([0, 255, random.int(0, 255)]) };
}

function mapCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `quantizeImage, binaryBytes, averageBytes, dequantizeRows, quantizeFloats seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const pixels = random.int(1, 60);
      const stride = mapStride(channels);
      const [a, b, output] = [randomGrid(random), randomGrid(random), randomGrid(random)];
      const image = random.normal(channels * pixels, 0, 100 * a.scale);
      const [first, second] = [
        randomBytes(random, pixels * channels, false),
        randomBytes(random, pixels * channels, true),
      ];
      for (const mode of modes) {
        const quantize = new KernelRig(rung, (library) =>
          emitQuantizeImage(library, { channels, pixels, grid: a, yStride: stride }),
        );
        quantize.setMode(mode);
        const map = quantize.allocate(roundUp(pixels, 4) * stride);
        const half = Math.min(pixels, roundUp(pixels / 2, 4));
        const args = { x: quantize.put(image), y: map, scratch: quantize.allocate(BYTE_LIMITS_BYTES) };
        quantize.call({ ...args, m0: 0, m1: half });
        quantize.call({ ...args, m0: half, m1: pixels });
        expectSame(
          mapValues(quantize, map, pixels, channels, stride, mode),
          reference.quantizeImage(image, channels, a),
          `quantizeImage in mode ${mode}`,
        );
        quantize.checkGuards();

        for (const operator of ['add', 'mul'] as const) {
          for (const isRepeated of [false, true]) {
            const grids = { a, b, output };
            const spec = {
              ...grids,
              operator,
              columns: channels,
              aStride: stride,
              bStride: isRepeated ? 0 : stride,
              yStride: stride,
            };
            const binary = new KernelRig(rung, (library) => emitBinaryBytes(library, spec));
            binary.setMode(mode);
            const binaryArgs = {
              a: putMap(binary, first, channels, stride, mode),
              b: putMap(binary, second, channels, stride, mode),
              y: binary.allocate(pixels * stride),
              scratch: binary.allocate(BYTE_LIMITS_BYTES),
            };
            binary.call({ ...binaryArgs, m0: 0, m1: half });
            binary.call({ ...binaryArgs, m0: half, m1: pixels });
            const other = isRepeated ? second.subarray(0, channels) : second;
            const combine = operator === 'add' ? reference.addBytes : reference.multiplyBytes;
            expectSame(
              mapValues(binary, binaryArgs.y, pixels, channels, stride, mode),
              combine(first, other, grids),
              `${operator} of bytes in mode ${mode}`,
            );
            binary.checkGuards();
          }
        }

        const average = new KernelRig(rung, (library) =>
          emitAverageBytes(library, { channels, pixels, input: a, output, xStride: stride }),
        );
        average.setMode(mode);
        const mean = average.allocate(stride);
        average.call({
          x: putMap(average, first, channels, stride, mode),
          y: mean,
          scratch: average.allocate(BYTE_LIMITS_BYTES),
        });
        expectSame(
          mapValues(average, mean, 1, channels, stride, mode),
          reference.averageBytes({ channels, values: first }, a, output),
          `averageBytes in mode ${mode}`,
        );
        average.checkGuards();

        const yStride = roundUp(channels, 8);
        const floats = new KernelRig(rung, (library) =>
          emitDequantizeRows(library, { columns: channels, grid: a, xStride: stride, yStride }),
        );
        floats.setMode(mode);
        const y = floats.allocate(4 * pixels * yStride);
        floats.call({ x: putMap(floats, first, channels, stride, mode), y, m0: 0, m1: pixels });
        expectSame(
          floats.floats(y, pixels, channels, yStride),
          reference.dequantize(first, a),
          `dequantizeRows in mode ${mode}`,
        );
        floats.checkGuards();

        const rows = new KernelRig(rung, (library) =>
          emitQuantizeFloats(library, { columns: channels, grid: a, xStride: yStride, yStride: stride }),
        );
        rows.setMode(mode);
        const quantized = rows.allocate(pixels * stride);
        const rowArgs = { x: rows.put(image, channels, yStride), scratch: rows.allocate(BYTE_LIMITS_BYTES) };
        rows.call({ ...rowArgs, y: quantized, m0: 0, m1: pixels });
        expectSame(
          mapValues(rows, quantized, pixels, channels, stride, mode),
          reference.quantize(image, a),
          `quantizeFloats in mode ${mode}`,
        );
        rows.checkGuards();
      }
    },
  };
}

/** Which windows have a pixel that is not padding: the mean of nothing is not a number. */
function windowsWithPixels(window: WindowSpec, outHeight: number): boolean[] {
  const inputs = window.height * window.width;
  const ones = { channels: 1, values: new Float32Array(inputs).fill(1) };
  return Array.from(reference.averagePoolRows(ones, window, outHeight, true), (mean) => mean > 0);
}

function poolCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `maxPoolBytes, averagePool of bytes seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const stride = mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, stride, false);
      const x = { channels, values: randomBytes(random, window.height * window.width * channels, false) };
      const pixels = outHeight * window.outWidth;
      const split = random.int(0, pixels);
      const { zeroPoint: _, ...pool } = window;
      const [input, output] = [randomGrid(random), randomGrid(random)];
      for (const mode of modes) {
        const largest = new KernelRig(rung, (library) =>
          emitMaxPoolBytes(library, { ...pool, yStride: stride }),
        );
        largest.setMode(mode);
        const args = {
          x: putMap(largest, x.values, channels, stride, mode),
          y: largest.allocate(pixels * stride),
        };
        largest.call({ ...args, m0: 0, m1: split });
        largest.call({ ...args, m0: split, m1: pixels });
        expectSame(
          mapValues(largest, args.y, pixels, channels, stride, mode),
          reference.maxPoolBytes(x, pool, outHeight),
          `maxPoolBytes in mode ${mode}`,
        );
        largest.checkGuards();

        for (const countsPadding of [false, true]) {
          const means = new KernelRig(rung, (library) =>
            emitAveragePool(library, { ...pool, countsPadding, grids: [input, output], yStride: stride }),
          );
          means.setMode(mode);
          const meanArgs = {
            x: putMap(means, x.values, channels, stride, mode),
            y: means.allocate(pixels * stride),
            scratch: means.allocate(BYTE_LIMITS_BYTES),
          };
          means.call({ ...meanArgs, m0: 0, m1: split });
          means.call({ ...meanArgs, m0: split, m1: pixels });
          const filled = windowsWithPixels(pool, outHeight);
          const expected = reference.averagePoolBytes(x, pool, { outHeight, countsPadding, input, output });
          const actual = mapValues(means, meanArgs.y, pixels, channels, stride, mode);
          const kept = (values: Uint8Array): Uint8Array =>
            values.filter((_, index) => filled[Math.floor(index / channels)]);
          expectSame(kept(actual), kept(expected), `averagePool of bytes in mode ${mode}`);
          means.checkGuards();
        }
      }
    },
  };
}

const FLOAT_ACTIVATIONS: Activation[] = [
  'none',
  'relu',
  'hard_swish',
  { kind: 'clip', low: 0, high: 6 },
  { kind: 'leaky_relu', slope: 0.1 },
  { kind: 'hard_sigmoid', slope: 0.2, offset: 0.5 },
];

function floatCase(rung: Rung, seed: number): KernelCase {
  return {
    name: `convF32, depthwiseF32, averageRows, maxPoolRows, averagePool seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 20);
      const filters = random.int(1, 20);
      const stride = roundUp(channels, 8);
      const activation = random.pick(FLOAT_ACTIVATIONS);
      const { window: bytes, outHeight } = randomGeometry(random, channels, 4 * stride, false);
      const { zeroPoint: _, ...geometry } = bytes;
      const window = { ...geometry, tapBytes: 4 * channels };
      const [taps, pixels] = [window.kernel[0] * window.kernel[1], outHeight * window.outWidth];
      const inputs = window.height * window.width;
      const x = { channels, values: random.normal(inputs * channels, 0, 2) };
      const split = random.int(0, outHeight) * window.outWidth;
      const halves = [
        { m0: 0, m1: split },
        { m0: split, m1: pixels },
      ];

      const kernel = {
        filters,
        groups: 1,
        weights: random.normal(filters * channels * taps),
        bias: random.normal(filters),
      };
      const spec = { n: filters, activation, yStride: roundUp(filters, 8), window };
      const conv = new KernelRig(rung, (library) => emitConvF32(library, spec));
      const matrix = kernel.weights.map((_value, index) => {
        const [row, filter] = [Math.floor(index / filters), index % filters];
        const [tap, channel] = [Math.floor(row / channels), row % channels];
        return kernel.weights[(filter * channels + channel) * taps + tap]!;
      });
      const convArgs = {
        x: conv.put(x.values, channels, stride),
        weights: conv.put(packFloatWeights(matrix, taps * channels, filters)),
        bias: conv.put(padded(kernel.bias, spec.yStride)),
        y: conv.allocate(4 * pixels * spec.yStride),
        scratch: conv.allocate(convF32ScratchBytes(spec, pixels)),
      };
      for (const half of halves) conv.call({ ...convArgs, ...half });
      expectSame(
        conv.floats(convArgs.y, pixels, filters, spec.yStride),
        reference.convF32(x, kernel, window, outHeight, activation),
        'convF32',
      );
      conv.checkGuards();

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

      const average = new KernelRig(rung, (library) =>
        emitAverageRows(library, { columns: channels, rows: inputs, xStride: stride }),
      );
      const mean = average.allocate(4 * stride);
      average.call({ x: average.put(x.values, channels, stride), y: mean });
      expectSame(
        average.floats(mean, 1, channels, stride),
        reference.averageRows(x.values, channels),
        'averageRows',
      );
      average.checkGuards();

      const pool = new KernelRig(rung, (library) =>
        emitMaxPoolRows(library, { ...window, yStride: 4 * stride }),
      );
      const largest = pool.allocate(4 * pixels * stride);
      const pooled = { x: pool.put(x.values, channels, stride), y: largest };
      for (const half of halves) pool.call({ ...pooled, ...half });
      expectSame(
        pool.floats(largest, pixels, channels, stride),
        reference.maxPoolRows(x, window, outHeight),
        'maxPoolRows',
      );
      pool.checkGuards();

      for (const countsPadding of [false, true]) {
        const means = new KernelRig(rung, (library) =>
          emitAveragePool(library, { ...window, countsPadding, grids: undefined, yStride: 4 * stride }),
        );
        const meanArgs = {
          x: means.put(x.values, channels, stride),
          y: means.allocate(4 * pixels * stride),
          scratch: 0,
        };
        for (const half of halves) means.call({ ...meanArgs, ...half });
        expectSame(
          means.floats(meanArgs.y, pixels, channels, stride),
          reference.averagePoolRows(x, window, outHeight, countsPadding),
          'averagePool',
        );
        means.checkGuards();
      }
    },
  };
}

function resizeCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `resizeLinear seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const [height, width, channels] = [random.int(1, 6), random.int(1, 6), random.int(1, 20)];
      const taps = (from: number): LinearTap[] =>
        Array.from({ length: random.int(1, 9) }, () => {
          const near = random.int(0, from - 1);
          const [toNear = 0] = random.uniform(1, 0, 1);
          return { near, far: Math.min(near + 1, from - 1), toNear, toFar: Math.fround(1 - toNear) };
        });
      const [rows, columns] = [taps(height), taps(width)];
      const pixels = rows.length * columns.length;
      const split = random.int(0, pixels);
      const values = randomBytes(random, height * width * channels, false);
      for (const [elementBytes, list] of [
        [4, ['i16']],
        [1, modes],
      ] as const) {
        const stride = elementBytes === 4 ? roundUp(channels, 8) : mapStride(channels);
        const bytes = elementBytes * stride;
        const spec = { elementBytes, xStride: bytes, yStride: bytes, outWidth: columns.length };
        for (const mode of list) {
          const rig = new KernelRig(rung, (library) => emitResizeLinear(library, spec));
          rig.setMode(mode);
          const floats = Float32Array.from(values, (value) => value - 100);
          const args = {
            x:
              elementBytes === 4
                ? rig.put(floats, channels, stride)
                : putMap(rig, values, channels, stride, mode),
            rowTaps: rig.put(packTaps(rows, width * bytes)),
            columnTaps: rig.put(packTaps(columns, bytes)),
            y: rig.allocate(pixels * bytes),
          };
          rig.call({ ...args, m0: 0, m1: split });
          rig.call({ ...args, m0: split, m1: pixels });
          const source = elementBytes === 4 ? floats : Float32Array.from(values);
          const expected = reference.resizeLinear({ width, channels, values: source }, rows, columns);
          if (elementBytes === 4)
            expectSame(rig.floats(args.y, pixels, channels, stride), expected, 'floats');
          else
            expectSame(
              mapValues(rig, args.y, pixels, channels, stride, mode),
              Uint8Array.from(expected, Math.trunc),
              `bytes in mode ${mode}`,
            );
          rig.checkGuards();
        }
      }
    },
  };
}

/** All cases over maps of a rung, each in every mode that is exact on this machine. */
export function mapCases(rung: Rung): KernelCase[] {
  const modes = exactModes(rung);
  // Without relaxed dots only what a byte means depends on the mode, and that can be tried on every machine.
  const byteModes: ModeName[] = rung === 'relaxed' ? ['i16', 's8'] : ['i16'];
  const cases: KernelCase[] = [];
  let seed = 1000;
  for (let round = 0; round < 12; round++) {
    for (const bits of [7, 8] as const) {
      for (const pointwise of [false, true]) {
        const extreme = round % 4 === 3;
        cases.push(convCase(rung, modes[bits], ++seed, { bits, extreme, pointwise }));
      }
    }
    cases.push(
      depthwiseCase(rung, byteModes, ++seed, round % 4 === 3),
      depthwiseCase(rung, byteModes, ++seed, false),
    );
    cases.push(
      resizeCase(rung, byteModes, ++seed),
      mapCase(rung, byteModes, ++seed),
      poolCase(rung, byteModes, ++seed),
      floatCase(rung, ++seed),
    );
  }
  return [...cases, ...copyCases(rung, byteModes)];
}
