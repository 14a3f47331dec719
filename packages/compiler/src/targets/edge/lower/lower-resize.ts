import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import { packManyTaps, packTaps } from '../kernels/index.ts';
import { lowerMove } from './lower-moves.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import { cubicTaps, isKnownMode, linearTaps, type ResizedAxis } from './resize-taps.ts';
import { elementBytes, rowStride } from '../program/value.ts';

/** Resize: x, roi, scales?, sizes?. To the nearest element, which moves elements; linear or cubic over height and width. */
export function lowerResize(context: LoweringContext, node: Node): void {
  const attributes = readAttributes(node);
  const mode = attributes.string('mode', 'nearest');
  if (attributes.int('antialias', 0) !== 0) throw refuse(node, 'antialias is not supported');
  const coordinates = attributes.string('coordinate_transformation_mode', 'half_pixel');
  if (!isKnownMode(coordinates)) throw refuse(node, `the coordinates ${coordinates} are not supported`);
  if (mode === 'nearest') return lowerMove(context, node);
  if (mode !== 'linear' && mode !== 'cubic') throw refuse(node, `the mode ${mode} is not supported`);
  const kind = mode === 'linear' && context.isBytes(node, 0) ? 'bytes' : 'float';
  const { x, width } = context.map(node, 0, kind);
  const [batch, channels, ...space] = resizedAxes(context, node);
  if (batch!.scale !== 1 || channels!.scale !== 1) throw refuse(node, 'only height and width can be resized');

  const axes = space.length === 1 ? [{ from: 1, to: 1, scale: 1 }, ...space] : space;
  const step = elementBytes(x) * rowStride(x);
  const [rowTaps, columnTaps] = axes.map((axis, index) => {
    const bytes = index === 0 ? width * step : step;
    const packed =
      mode === 'linear'
        ? packTaps(linearTaps(coordinates, axis), bytes)
        : packManyTaps(cubicTaps(coordinates, axis, cubicOptions(node)), bytes);
    return context.constants.list(packed);
  }) as [number, number];
  const output = context.mapOutput(node, kind, [x.columns, ...space.map(({ to }) => to)]);
  const outWidth = axes[1]!.to;
  context.emit({
    op: mode === 'linear' ? 'resize-linear' : 'resize-cubic',
    x,
    rowTaps,
    columnTaps,
    outWidth,
    output,
  });
}

function cubicOptions(node: Node): { a: number; excludesOutside: boolean } {
  const attributes = readAttributes(node);
  return {
    a: attributes.float('cubic_coeff_a', -0.75),
    excludesOutside: attributes.int('exclude_outside', 0) === 1,
  };
}

/** Extents before and after, and the scale, of each dimension. */
function resizedAxes(context: LoweringContext, node: Node): ResizedAxis[] {
  const { constants } = context;
  const dims = context.tensor(node, 0).dims as readonly number[];
  const [, , scalesName = '', sizesName = ''] = node.inputs;
  const attributes = readAttributes(node);
  const given = attributes.ints('axes') ?? [...dims.keys()];
  const axes = given.map((axis) => (axis + dims.length) % dims.length);
  const [scales, sizes] = [scalesName, sizesName].map((name) => (name ? constants.numbers(name) : []));
  const policy = attributes.string('keep_aspect_ratio_policy', 'stretch');
  const ratios = sizes!.map((size, at) => size / dims[axes[at]!]!);
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return dims.map((from, dim) => {
    const at = axes.indexOf(dim);
    if (at < 0) return { from, to: from, scale: 1 };
    const to = sizes![at];
    if (to === undefined) {
      const scale = scales![at]!;
      return { from, to: Math.floor(Math.fround(from * scale)), scale };
    }
    if (policy === 'stretch') return { from, to, scale: Math.fround(to / from) };
    return { from, to: Math.floor(common * from + 0.5), scale: Math.fround(common) };
  });
}
