import {
  f32x4,
  i32,
  ModuleBuilder,
  v128,
  type FunctionBuilder,
  type Local,
  type MemoryLimits,
} from '../../../wasm/index.ts';

/** Rows and columns of the product that are computed at a time: eight vectors of sums. */
const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;

export interface OuterProductKernels {
  /**
   * out[width][width] = Σ x·xᵀ over rows x of float32, the tiles on and above the diagonal only; `width` is a multiple of 8,
   * addresses and the stride from row to row are in bytes.
   */
  readonly sumOuterProducts: (from: number, rows: number, stride: number, out: number, width: number) => void;
}

export function outerProductModule(memory: MemoryLimits): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', memory);
  const params = { from: 'i32', rows: 'i32', stride: 'i32', out: 'i32', width: 'i32' } as const;
  m.function('sum outer products', { params, export: 'sumOuterProducts' }, (f, p) => {
    const outStride = f.let(i32.shl(p.width, 2));
    const length = f.let(i32.mul(p.rows, p.stride));
    const row = f.local('i32');
    const column = f.local('i32');
    f.whileBelow(row, p.width, TILE_ROWS, () => {
      f.set(column, i32.and(row, -TILE_COLUMNS));
      f.whileBelow(column, p.width, TILE_COLUMNS, () => {
        const left = f.let(i32.add(p.from, i32.shl(row, 2)));
        const right = f.let(i32.add(p.from, i32.shl(column, 2)));
        const to = f.let(i32.add(i32.add(p.out, i32.mul(row, outStride)), i32.shl(column, 2)));
        sumTile(f, { left, right, end: f.let(i32.add(right, length)), stride: p.stride, to, outStride });
      });
    });
  });
  return m.finish();
}

type Places = Readonly<Record<'left' | 'right' | 'end' | 'stride' | 'to' | 'outStride', Local<'i32'>>>;

function sumTile(f: FunctionBuilder, { left, right, end, stride, to, outStride }: Places): void {
  // Locals live as long as the function: a tile clears what the last one left.
  const sums = Array.from({ length: TILE_ROWS }, () => [f.let(v128.zero()), f.let(v128.zero())]);
  const columns = [f.local('v128'), f.local('v128')];
  const factor = f.local('v128');
  f.whileBelow(right, end, stride, () => {
    columns.forEach((vector, half) => f.set(vector, v128.load(right, 16 * half)));
    sums.forEach((pair, row) => {
      f.set(factor, v128.load32Splat(left, 4 * row));
      pair.forEach((sum, half) => f.set(sum, f32x4.add(sum, f32x4.mul(factor, columns[half]!))));
    });
    f.increment(left, stride);
  });
  for (const pair of sums) {
    pair.forEach((sum, half) => f.do(v128.store(to, sum, 16 * half)));
    f.increment(to, outStride);
  }
}
