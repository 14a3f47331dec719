import { f32x4, i32, v128, type Expr, type FunctionBuilder, type FunctionRef } from '../../../wasm/index.ts';
import { activationCode, type Activation } from './finish-panel.ts';
import type { KernelLibrary } from './kernel-library.ts';
import { forEachEight } from './vector-code.ts';

export interface ElementwiseSpec {
  /** Columns. */
  n: number;
  xStride: number;
  yStride: number;
}

export interface ActivateRowsSpec extends ElementwiseSpec {
  activation: Exclude<Activation, 'none'>;
}

const UNARY_PARAMS = { x: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;
const BINARY_PARAMS = { a: 'i32', b: 'i32', y: 'i32', m0: 'i32', m1: 'i32' } as const;

/** y = act(x) for rows [m0, m1); y may be x. */
export function emitActivateRows(
  library: KernelLibrary,
  spec: ActivateRowsSpec,
): FunctionRef<typeof UNARY_PARAMS, undefined> {
  const act = activationCode(spec.activation);
  return library.once('activate rows', spec, (name) =>
    library.module.function(name, { params: UNARY_PARAMS }, (f, p) => {
      f.increment(p.x, i32.mul(p.m0, 4 * spec.xStride));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        forEachEight(f, spec.n, (at) => {
          const xs = [0, 16].map((offset) => f.let(v128.load(at(p.x), offset)));
          act(library, f, xs).forEach((value, half) => f.do(v128.store(at(p.y), value, 16 * half)));
        });
        f.increment(p.x, 4 * spec.xStride);
        f.increment(p.y, 4 * spec.yStride);
      });
    }),
  );
}

/** prelu: a, times b where a is below 0. */
export type BinaryOperator = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'prelu';

export interface BinaryRowsSpec {
  operator: BinaryOperator;
  n: number;
  /** Floats from row to row; 0 repeats one row. */
  aStride: number;
  bStride: number;
  yStride: number;
}

/** y = a ∘ b for rows [m0, m1); y may be a or b. */
export function emitBinaryRows(
  library: KernelLibrary,
  spec: BinaryRowsSpec,
): FunctionRef<typeof BINARY_PARAMS, undefined> {
  return library.once('binary rows', spec, (name) =>
    library.module.function(name, { params: BINARY_PARAMS }, (f, p) => {
      f.increment(p.a, i32.mul(p.m0, 4 * spec.aStride));
      f.increment(p.b, i32.mul(p.m0, 4 * spec.bStride));
      f.increment(p.y, i32.mul(p.m0, 4 * spec.yStride));
      f.whileBelow(p.m0, p.m1, 1, () => {
        forEachEight(f, spec.n, (at) => {
          for (const offset of [0, 16]) {
            const operands = [p.a, p.b].map((pointer) => v128.load(at(pointer), offset)) as [
              Expr<'v128'>,
              Expr<'v128'>,
            ];
            const result =
              spec.operator === 'prelu' ? prelu(f, ...operands) : f32x4[spec.operator](...operands);
            f.do(v128.store(at(p.y), result, offset));
          }
        });
        f.increment(p.a, 4 * spec.aStride);
        f.increment(p.b, 4 * spec.bStride);
        f.increment(p.y, 4 * spec.yStride);
      });
    }),
  );
}

function prelu(f: FunctionBuilder, a: Expr<'v128'>, slope: Expr<'v128'>): Expr<'v128'> {
  const x = f.let(a);
  return v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, v128.zero()));
}
