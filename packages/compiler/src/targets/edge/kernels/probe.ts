import { i16x8, i32x4, v128, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

const PARAMS = { kind: 'i32', a: 'i32', b: 'i32', out: 'i32' } as const;

/**
 * What this CPU makes of a relaxed dot product of the 16 bytes at `a` (weights) and those at `b` (activations): four i32
 * lanes at `out`. Kind 0: i32x4.relaxed_dot_i8x16_i7x16_add_s onto 0. Kind 1: i32x4.extadd_pairwise_i16x8_s of
 * i16x8.relaxed_dot_i8x16_i7x16_s. Relaxed rung only.
 */
export function emitProbe(library: KernelLibrary): FunctionRef<typeof PARAMS, undefined> {
  return library.once('probe', {}, (name) =>
    library.module.function(name, { params: PARAMS }, (f, { kind, a, b, out }) => {
      const first = f.let(v128.load(a));
      const second = f.let(v128.load(b));
      f.if(
        kind,
        () => {
          const pairs = i16x8.relaxedDotI8x16I7x16S(first, second);
          f.do(v128.store(out, i32x4.extaddPairwiseI16x8S(pairs)));
        },
        () => f.do(v128.store(out, i32x4.relaxedDotI8x16I7x16AddS(first, second, v128.zero()))),
      );
    }),
  );
}
