import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  BYTE_LIMITS_BYTES,
  emitAverageBytes,
  emitAveragePool,
  emitBinaryBytes,
  emitDequantizeRows,
  emitMaxPoolBytes,
  emitQuantizeFloats,
  emitQuantizeImage,
  type Rung,
  type WindowSpec,
} from '../../src/targets/edge/kernels/index.ts';
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
  randomGrid,
} from './random-maps.ts';

// Element-wise operators and poolings of maps of bytes, as cases.ts.

export function mapCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
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

export function poolCase(rung: Rung, modes: readonly ModeName[], seed: number): KernelCase {
  return {
    name: `maxPoolBytes, averagePool of bytes seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const channels = random.int(1, 40);
      const stride = mapStride(channels);
      const { window, outHeight } = randomGeometry(random, channels, stride, 'any');
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
