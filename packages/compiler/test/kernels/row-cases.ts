import { seededRandom } from '../../../test-utils/src/seeded-random.ts';
import {
  emitActivateRows,
  emitBinaryRows,
  emitLayerNorm,
  emitSoftmaxRows,
  quantizedRowBytes,
  type Activation,
  type Rung,
} from '../../src/targets/edge/kernels/index.ts';
import * as reference from '../../src/targets/edge/reference/index.ts';
import { expectSame, type KernelCase } from './case.ts';
import { KernelRig } from './harness.ts';
import { ROWS, padded, activations, rowRanges, QUANTIZATIONS, paddedTo8 } from './random-rows.ts';

// Operators on rows of floats, as cases.ts.

export function layerNormCase(rung: Rung, seed: number, n: number): KernelCase {
  return {
    name: `layerNorm n=${n} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = random.pick(ROWS);
      const stride = padded(n) + 8;
      const x = activations(random, rows, n);
      const skip = seed % 2 === 0 ? activations(random, rows, n) : undefined;
      const normalization = { n, epsilon: 1e-12, gamma: random.normal(n, 1), beta: random.normal(n) };
      const quantization = QUANTIZATIONS[seed % 3] ?? undefined;
      const rig = new KernelRig(rung, (library) =>
        emitLayerNorm(library, {
          n,
          epsilon: 1e-12,
          xStride: stride,
          yStride: stride,
          ...(skip ? { skipStride: stride } : {}),
          ...(quantization ? { quantization } : {}),
        }),
      );
      const args = {
        x: rig.put(x, n, stride),
        skip: skip ? rig.put(skip, n, stride) : 0,
        gamma: rig.put(paddedTo8(normalization.gamma)),
        beta: rig.put(paddedTo8(normalization.beta)),
        y: rig.allocate(4 * rows * stride),
        bytes: rig.allocate(rows * quantizedRowBytes(n)),
        rowScale: rig.allocate(4 * rows),
        rowZero: rig.allocate(4 * rows),
      };
      for (const [m0, m1] of rowRanges(rows)) rig.call({ ...args, m0, m1 });
      const expected = reference.layerNorm(x, normalization, skip);
      expectSame(rig.floats(args.y, rows, n, stride), expected, 'y');
      if (quantization) {
        const quantized = reference.quantizeRows(expected, rows, n, quantization);
        const bytes = rig.rawBytes(args.bytes, rows * quantizedRowBytes(n));
        expectSame(
          quantized.values.map((_, i) => bytes[Math.floor(i / n) * quantizedRowBytes(n) + (i % n)] as number),
          quantized.values,
          'bytes',
        );
        expectSame(rig.floats(args.rowScale, 1, rows, rows), quantized.scale, 'row scale');
        expectSame(rig.ints(args.rowZero, rows), quantized.zero, 'row zero');
      }
      rig.checkGuards();
    },
  };
}

export function elementwiseCase(
  rung: Rung,
  seed: number,
  activation: Exclude<Activation, 'none'>,
): KernelCase {
  const name = typeof activation === 'string' ? activation : activation.kind;
  return {
    name: `activateRows ${name} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const n = random.int(1, 70);
      const x = new Float32Array([
        ...random.normal(5 * n, 0, 3),
        ...Array.from(
          { length: n },
          (_, i) => [0, -0, 1e30, -1e30, 1e-30, -1e-40, 88, -88, 126.7][i % 9] as number,
        ),
      ]);
      const stride = padded(n);
      const rig = new KernelRig(rung, (library) =>
        emitActivateRows(library, { activation, n, xStride: stride, yStride: stride }),
      );
      const address = rig.put(x, n, stride);
      rig.call({ x: address, y: address, m0: 0, m1: 6 });
      expectSame(rig.floats(address, 6, n, stride), reference.activate(x, activation), name);
      rig.checkGuards();
    },
  };
}

export function softmaxAndBinaryCase(rung: Rung, seed: number, n: number): KernelCase {
  return {
    name: `softmaxRows and binaryRows n=${n} seed=${seed}`,
    run: () => {
      const random = seededRandom(seed);
      const rows = 4;
      const stride = padded(n);
      const [a, b] = [random.normal(rows * n, 0, 9), random.normal(rows * n)];
      a[0] = -1000;
      for (const isLog of [false, true]) {
        const softmax = new KernelRig(rung, (library) =>
          emitSoftmaxRows(library, { isLog, n, xStride: stride, yStride: stride }),
        );
        const x = softmax.put(a, n, stride);
        softmax.call({ x, y: x, m0: 0, m1: rows });
        expectSame(softmax.floats(x, rows, n, stride), reference.softmaxRows(a, n, isLog), 'softmax');
        softmax.checkGuards();
      }
      for (const operator of ['add', 'sub', 'mul', 'div', 'min', 'max', 'prelu'] as const) {
        for (const isRepeated of [false, true]) {
          const spec = { operator, n, aStride: stride, bStride: isRepeated ? 0 : stride, yStride: stride };
          const rig = new KernelRig(rung, (library) => emitBinaryRows(library, spec));
          const y = rig.allocate(4 * rows * stride);
          rig.call({ a: rig.put(a, n, stride), b: rig.put(b, n, stride), y, m0: 0, m1: rows });
          const expected = reference.binaryRows(a, isRepeated ? b.subarray(0, n) : b, operator);
          expectSame(rig.floats(y, rows, n, stride), expected, operator);
          rig.checkGuards();
        }
      }
    },
  };
}
