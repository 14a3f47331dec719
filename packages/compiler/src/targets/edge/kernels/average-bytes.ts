import { f32x4, i16x8, i32, i32x4, v128, type Expr, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { emitByteLimits, emitFlip, emitToStoredBytes, type ByteGrid } from './requantize.ts';
import { roundUp } from './vector-code.ts';

export interface AverageBytesSpec {
  readonly channels: number;
  readonly pixels: number;
  readonly input: ByteGrid;
  readonly output: ByteGrid;
  readonly xStride: number;
}

const AVERAGE_PARAMS = { x: 'i32', y: 'i32', scratch: 'i32' } as const;

/** x_scale/(y_scale·pixels) in float32. */
export function averageMultiplier({ input, output, pixels }: AverageBytesSpec): number {
  const { fround } = Math;
  return fround(fround(input.scale) / fround(fround(output.scale) * pixels));
}

/** The mean over all pixels (com.microsoft QLinearGlobalAveragePool). */
export function emitAverageBytes(
  library: KernelLibrary,
  spec: AverageBytesSpec,
): FunctionRef<typeof AVERAGE_PARAMS, undefined> {
  return library.once('average bytes', spec, (name) =>
    library.module.function(name, { params: AVERAGE_PARAMS }, (f, p) => {
      emitByteLimits(library, f, p.scratch, spec.output.zeroPoint);
      const multiplier = library.splat(averageMultiplier(spec));
      const sums = [f.local('v128'), f.local('v128')] as const;
      const from = f.local('i32');
      const end = f.local('i32');
      const channel = f.local('i32');
      f.whileBelow(channel, roundUp(spec.channels, 8), 8, () => {
        for (const sum of sums) f.set(sum, library.splatBits(-spec.input.zeroPoint * spec.pixels));
        f.set(from, i32.add(p.x, channel));
        f.set(end, i32.add(from, spec.pixels * spec.xStride));
        f.whileBelow(from, end, spec.xStride, () => {
          const words = f.let(i16x8.extendLowI8x16U(emitFlip(p.scratch, v128.load64Zero(from))));
          f.set(sums[0], i32x4.add(sums[0], i32x4.extendLowI16x8S(words)));
          f.set(sums[1], i32x4.add(sums[1], i32x4.extendHighI16x8S(words)));
        });
        const scaled = sums.map((sum) => f32x4.mul(f32x4.convertI32x4S(sum), multiplier)) as [
          Expr<'v128'>,
          Expr<'v128'>,
        ];
        f.do(v128.store64Lane(i32.add(p.y, channel), emitToStoredBytes(library, p.scratch, scaled), 0));
      });
    }),
  );
}
