import type { LinearTap } from './kernels/index.ts';

const { fround } = Math;

interface Axis {
  /** Extents of the input and of the output. */
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}

/** Where an output position lies in the input, by ONNX's coordinate_transformation_mode; in float32 as onnxruntime computes it. */
const COORDINATES: Readonly<Record<string, (position: number, axis: Axis) => number>> = {
  half_pixel: halfPixel,
  pytorch_half_pixel: (position, axis) => (axis.to > 1 ? halfPixel(position, axis) : 0),
  asymmetric: (position, { scale }) => fround(position / scale),
  align_corners: (position, { from, to }) => (to > 1 ? fround(fround(position * (from - 1)) / (to - 1)) : 0),
};

function halfPixel(position: number, { scale }: Axis): number {
  return fround(fround(fround(position + 0.5) / scale) - 0.5);
}

/** The neighbours of each output position along an axis; undefined for an unknown mode. */
export function linearTaps(mode: string, axis: Axis): readonly LinearTap[] | undefined {
  const coordinate = COORDINATES[mode];
  if (coordinate === undefined) return undefined;
  const last = axis.from - 1;
  return Array.from({ length: axis.to }, (_, position): LinearTap => {
    const at = Math.min(Math.max(coordinate(position, axis), 0), last);
    const near = Math.floor(at);
    const far = Math.min(near + 1, last);
    if (near === far) return { near, far, toNear: 0.5, toFar: 0.5 };
    return { near, far, toNear: fround(at - near), toFar: fround(far - at) };
  });
}
