import type { LinearTap, Taps } from '../kernels/index.ts';

const { fround } = Math;

export interface ResizedAxis {
  /** Extents of the input and of the output. */
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Where an output position lies in the input, by ONNX's coordinate_transformation_mode; in float32 as onnxruntime computes it. */
const COORDINATES: Readonly<Record<string, (position: number, axis: ResizedAxis) => number>> = {
  half_pixel: halfPixel,
  half_pixel_symmetric: (position, axis) => {
    const adjustment = fround(axis.to / fround(axis.scale * axis.from));
    const offset = fround(fround(axis.from / 2) * fround(1 - adjustment));
    return fround(offset + halfPixel(position, axis));
  },
  pytorch_half_pixel: (position, axis) => (axis.to > 1 ? halfPixel(position, axis) : 0),
  asymmetric: (position, { scale }) => fround(position / scale),
  align_corners: (position, { from, to }) => (to > 1 ? fround(fround(position * (from - 1)) / (to - 1)) : 0),
};

function halfPixel(position: number, { scale }: ResizedAxis): number {
  return fround(fround(fround(position + 0.5) / scale) - 0.5);
}

export function isKnownMode(mode: string): boolean {
  return mode in COORDINATES;
}

/** The neighbours of each output position along an axis. */
export function linearTaps(mode: string, axis: ResizedAxis): readonly LinearTap[] {
  const coordinate = COORDINATES[mode]!;
  const last = axis.from - 1;
  return Array.from({ length: axis.to }, (_, position): LinearTap => {
    const at = Math.min(Math.max(coordinate(position, axis), 0), last);
    const near = Math.floor(at);
    const far = Math.min(near + 1, last);
    if (near === far) return { near, far, toNear: 0.5, toFar: 0.5 };
    return { near, far, toNear: fround(at - near), toFar: fround(far - at) };
  });
}

/** The four neighbours of each output position along an axis and their weights (Keys 1981, with ONNX's factor a). */
export function cubicTaps(
  mode: string,
  axis: ResizedAxis,
  { a, excludesOutside }: { readonly a: number; readonly excludesOutside: boolean },
): readonly Taps[] {
  const last = axis.from - 1;
  return Array.from({ length: axis.to }, (_, position): Taps => {
    const at = COORDINATES[mode]!(position, axis);
    const floor = Math.floor(at);
    const wanted = [floor - 1, floor, floor + 1, floor + 2];
    const positions = wanted.map((tap) => Math.min(Math.max(tap, 0), last));
    const weights = cubicWeights(at - floor, a);
    if (!excludesOutside) return { positions, weights };
    const inside = weights.map((weight, tap) => (positions[tap] === wanted[tap] ? weight : 0));
    const total = inside.reduce((sum, weight) => sum + weight, 0);
    return { positions, weights: inside.map((weight) => weight / total) };
  });
}

function cubicWeights(rest: number, a: number): number[] {
  const near = (x: number): number => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number): number => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + rest), near(rest), near(1 - rest), far(2 - rest)];
}
