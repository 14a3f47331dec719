import { i32, type Arguments, type FunctionRef } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';

type Pointers = Readonly<Record<string, 'i32'>>;

export interface RepeatedSpec<P extends Pointers> {
  readonly count: number;
  /** Bytes that pointers move by from one part to the next; the other arguments stay. */
  readonly steps: { readonly [K in keyof P]?: number };
}

/**
 * Calls a kernel once for each part of its operands (the groups of a convolution, the sequences of a batch), in their order:
 * what it writes behind one part is the next one's to overwrite.
 */
export function emitRepeated<P extends Pointers>(
  library: KernelLibrary,
  kernel: FunctionRef<P, undefined>,
  spec: RepeatedSpec<P>,
): FunctionRef<P, undefined> {
  const { count, steps } = spec;
  if (count === 1) return kernel;
  return library.once('repeated', { kernel: kernel.name, ...spec }, (name) =>
    library.module.function(name, { params: kernel.params }, (f, p) => {
      f.whileBelow(f.local('i32'), i32.const(count), 1, () => {
        f.call(kernel, p as unknown as Arguments<P>);
        for (const key of Object.keys(steps)) f.increment(p[key]!, steps[key]!);
      });
    }),
  );
}
