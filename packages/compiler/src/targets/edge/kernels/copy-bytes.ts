import { i32, v128, type FunctionRef, type Local } from '../../../wasm/index.ts';
import type { KernelLibrary } from './kernel-library.ts';
import type { MapBytesSpec } from './map-bytes.ts';

const PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** y[offset + c] = x[c] for pixels [m0, m1). Writes the given channels only. */
export function emitCopyBytes(
  library: KernelLibrary,
  spec: MapBytesSpec,
): FunctionRef<typeof PARAMS, undefined> {
  return library.once('copy bytes', spec, (name) =>
    library.module.function(name, { params: PARAMS }, (f, p) => {
      const at = f.local('i32');
      const whole = spec.channels & ~15;
      f.increment(p.x, i32.mul(p.m0, spec.xStride));
      f.increment(p.y, i32.add(i32.mul(p.m0, spec.yStride), spec.offset));
      f.whileBelow(p.m0, p.m1, 1, () => {
        f.set(at, 0);
        f.whileBelow(at, whole, 16, () => f.do(v128.store(i32.add(p.y, at), v128.load(i32.add(p.x, at)))));
        if (whole < spec.channels) {
          const rest = f.let(v128.load(p.x, whole));
          for (const [lane, bytes] of pieces(spec.channels - whole)) {
            const to: [Local<'i32'>, Local<'v128'>, number, number] = [p.y, rest, lane / bytes, whole + lane];
            f.do(STORES[bytes](...to));
          }
        }
        f.increment(p.x, spec.xStride);
        f.increment(p.y, spec.yStride);
      });
    }),
  );
}

const STORES = { 8: v128.store64Lane, 4: v128.store32Lane, 1: v128.store8Lane } as const;

/** Pieces of 8, 4 and 1 bytes that make up fewer than 16, by their start. */
function pieces(bytes: number): [start: number, bytes: 8 | 4 | 1][] {
  const result: [number, 8 | 4 | 1][] = [];
  let start = 0;
  for (const size of [8, 4, 1] as const) {
    while (bytes - start >= size) {
      result.push([start, size]);
      start += size;
    }
  }
  return result;
}
