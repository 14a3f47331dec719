import { elementCount, typedData, type DenseTensor, type Tensor } from '../ir/index.ts';
import type { Tolerance } from './transform.ts';

export interface OutputDifference {
  readonly output: string;
  /** What differs, with the numbers. */
  readonly message: string;
  /** Largest |actual − expected|; Infinity when the outputs cannot be compared at all. */
  readonly error: number;
}

export type Outputs = ReadonlyMap<string, Tensor>;

/** The first output that leaves the tolerance, or the largest difference when all are inside it. */
export function compareOutputs(
  actual: Outputs,
  expected: Outputs,
  tolerance: Tolerance,
): { readonly worst: number; readonly difference?: OutputDifference } {
  let worst = 0;
  for (const [output, reference] of expected) {
    const result = compareTensors(actual.get(output), reference, tolerance);
    if (typeof result === 'string')
      return { worst: Infinity, difference: { output, message: result, error: Infinity } };
    worst = Math.max(worst, result.worst);
    if (result.outside !== undefined)
      return { worst, difference: { output, message: result.outside, error: result.worst } };
  }
  return { worst };
}

function compareTensors(
  actual: Tensor | undefined,
  expected: Tensor,
  { absolute, relative }: Tolerance,
): string | { worst: number; outside?: string } {
  if (actual === undefined) return 'is missing';
  if (actual.kind !== 'dense' || expected.kind !== 'dense') return 'is not a dense tensor';
  if (actual.dtype !== expected.dtype || !sameDims(actual, expected))
    return `is ${describe(actual)} instead of ${describe(expected)}`;
  const a = typedData(actual);
  const e = typedData(expected);
  let worst = 0;
  let outside: string | undefined;
  for (let i = 0; i < elementCount(expected.dims); i++) {
    const x = Number(a[i]);
    const y = Number(e[i]);
    if (Object.is(x, y) || x === y) continue;
    const error = Number.isNaN(x - y) ? Infinity : Math.abs(x - y);
    worst = Math.max(worst, error);
    if (outside === undefined && !(error <= absolute + relative * Math.abs(y)))
      outside = `element ${i} is ${x} instead of ${y}`;
  }
  return outside === undefined ? { worst } : { worst, outside };
}

function sameDims(a: DenseTensor, b: DenseTensor): boolean {
  return a.dims.length === b.dims.length && a.dims.every((dim, axis) => dim === b.dims[axis]);
}

function describe({ dtype, dims }: DenseTensor): string {
  return `${dtype} [${dims.join(', ')}]`;
}
