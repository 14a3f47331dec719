import { elementCount, type Shape } from '../ir/index.ts';
import type { AttributeReader } from './attributes.ts';
import { asNumbers } from './indexing.ts';
import { dtypeOf, shapeOf, tensorType, unknownDims } from './inference.ts';
import { multiplyMatrices } from './matrix-multiply.ts';
import { allocate, type NdArray } from './nd-array.ts';
import type { CostContext, InferContext, NodeContext, OpDefinition } from './op-definition.ts';
import {
  readWindowRule,
  transposedDims,
  windowDims,
  windowIndex,
  windowPads,
  type WindowRule,
} from './windows.ts';

/** Kernel extents from the attribute or, where that is missing, from the weight. */
export function kernelOf(context: NodeContext, weight: Shape | undefined): number[] | undefined {
  const attribute = context.attributes.ints('kernel_shape');
  if (attribute) return attribute;
  const spatial = weight?.slice(2).filter((dim) => typeof dim === 'number');
  return weight && spatial?.length === weight.length - 2 ? spatial : undefined;
}

/** [N, channels, …spatial] of a convolution over input `x` with weight `w`. */
export function convolutionShape(context: InferContext, x: number, w: number): Shape | undefined {
  const [input, weight] = [shapeOf(context, x), shapeOf(context, w)];
  const kernel = kernelOf(context, weight);
  if (input === undefined) return kernel && unknownDims(kernel.length + 2);
  const lead = [input[0] ?? null, weight?.[0] ?? null];
  if (kernel === undefined) return [...lead, ...unknownDims(input.length - 2)];
  return [...lead, ...windowDims(readWindowRule(context.attributes, kernel), input.slice(2))];
}

/** Output elements times kernel cells times input channels per group. */
export function convolutionMacs({ inputs, outputs }: CostContext, w: number): number {
  const weight = inputs[w]?.dims ?? [];
  return elementCount(outputs[0]?.dims ?? [0]) * elementCount(weight.slice(1));
}

/** Convolution of `x` [N, C, …] with `weight` [M, C/groups, …] as one matrix product per sample and group. */
export function convolve(
  x: NdArray,
  weight: NdArray,
  rule: WindowRule,
  groups: number,
  dtype: NdArray['dtype'] = x.dtype,
): NdArray {
  const [batch = 0, channels = 0, ...spatial] = x.dims;
  const filters = weight.dims[0] as number;
  const out = windowDims(rule, spatial) as number[];
  const index = windowIndex(rule, spatial, out, windowPads(rule, spatial, out));
  const [area, positions] = [elementCount(spatial), elementCount(out)];
  const cells = index.length / Math.max(1, positions);
  const [perGroup, filtersPerGroup] = [channels / groups, filters / groups];
  const dims = [batch, filters, ...out];
  const data = allocate(dtype, elementCount(dims)) as Float32Array;
  const columns = new Float64Array(perGroup * cells * positions);
  const [from, weights] = [asNumbers(x), asNumbers(weight)];
  for (let n = 0; n < batch; n++) {
    for (let g = 0; g < groups; g++) {
      for (let c = 0; c < perGroup; c++) {
        const base = (n * channels + g * perGroup + c) * area;
        const to = c * index.length;
        for (let i = 0; i < index.length; i++) {
          const at = index[i] as number;
          columns[to + i] = at < 0 ? 0 : (from[base + at] as number);
        }
      }
      multiplyMatrices(weights, columns, data, {
        m: filtersPerGroup,
        k: perGroup * cells,
        n: positions,
        aStart: g * filtersPerGroup * perGroup * cells,
        outStart: (n * filters + g * filtersPerGroup) * positions,
      });
    }
  }
  return { dtype, dims, data };
}

/** Adds one number per channel (axis 1). */
export function addPerChannel(array: NdArray, bias: ArrayLike<number>): NdArray {
  const area = elementCount(array.dims.slice(2));
  const channels = array.dims[1] as number;
  const data = (array.data as Float32Array).map(
    (x, i) => x + (bias[Math.floor(i / area) % channels] as number),
  );
  return { ...array, data };
}

const conv: OpDefinition = {
  domain: '',
  opType: 'Conv',
  since: 1,
  inputs: [2, 3],
  infer: (context) => [
    tensorType(dtypeOf(context, 0) ?? dtypeOf(context, 1), convolutionShape(context, 0, 1)),
  ],
  evaluate(context) {
    const [x, weight, bias] = [context.input(0), context.input(1), context.inputs[2]];
    const rule = readWindowRule(context.attributes, weight.dims.slice(2));
    const sum = convolve(x, weight, rule, context.attributes.int('group', 1));
    return [bias ? addPerChannel(sum, asNumbers(bias)) : sum];
  },
  macs: (context) => convolutionMacs(context, 1),
};

const convTranspose: OpDefinition = {
  domain: '',
  opType: 'ConvTranspose',
  since: 1,
  inputs: [2, 3],
  infer(context) {
    const [x, weight] = [shapeOf(context, 0), shapeOf(context, 1)];
    const kernel = kernelOf(context, weight);
    if (x === undefined || kernel === undefined) return [tensorType(dtypeOf(context, 0), undefined)];
    const groups = context.attributes.int('group', 1);
    const perGroup = weight?.[1];
    const channels = typeof perGroup === 'number' ? perGroup * groups : null;
    const given = context.attributes.ints('output_shape');
    const rule = readWindowRule(context.attributes, kernel);
    const spatial =
      given ?? transposedDims(rule, x.slice(2), context.attributes.ints('output_padding') ?? []);
    return [tensorType(dtypeOf(context, 0), [x[0] ?? null, channels, ...spatial])];
  },
  evaluate(context) {
    const [x, weight, bias] = [context.input(0), context.input(1), context.inputs[2]];
    const sum = convolveTransposed(context, x, weight);
    return [bias ? addPerChannel(sum, asNumbers(bias)) : sum];
  },
  macs: ({ inputs }) => elementCount(inputs[0]?.dims ?? [0]) * elementCount(inputs[1]?.dims.slice(1) ?? [0]),
};

/** The adjoint of a convolution: every input element adds its weighted kernel to the output. */
function convolveTransposed(context: NodeContext, x: NdArray, weight: NdArray): NdArray {
  const groups = context.attributes.int('group', 1);
  const [batch = 0, channels = 0, ...spatial] = x.dims;
  const { rule, out, begins } = transposedWindow(context.attributes, weight.dims.slice(2), spatial);
  const index = windowIndex(rule, out, spatial, [...begins, ...begins]);
  const perGroup = weight.dims[1] as number;
  const [area, positions] = [elementCount(out), elementCount(spatial)];
  const cells = index.length / positions;
  const inGroup = channels / groups;
  const data = new Float64Array(batch * perGroup * groups * area);
  const [from, weights] = [asNumbers(x), asNumbers(weight)];
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const g = Math.floor(c / inGroup);
      for (let m = 0; m < perGroup; m++) {
        const to = (n * perGroup * groups + g * perGroup + m) * area;
        for (let i = 0; i < index.length; i++) {
          const at = index[i] as number;
          if (at < 0) continue;
          const w = weights[(c * perGroup + m) * cells + Math.floor(i / positions)] as number;
          data[to + at] =
            (data[to + at] as number) +
            w * (from[(n * channels + c) * positions + (i % positions)] as number);
        }
      }
    }
  }
  return { dtype: x.dtype, dims: [batch, perGroup * groups, ...out], data: Float32Array.from(data) };
}

/** The window of a ConvTranspose, the extents of its output and how much is cut off before them. */
export function transposedWindow(
  attributes: AttributeReader,
  kernel: readonly number[],
  spatial: readonly number[],
): { readonly rule: WindowRule; readonly out: readonly number[]; readonly begins: readonly number[] } {
  const rule = readWindowRule(attributes, kernel);
  const extra = attributes.ints('output_padding') ?? [];
  const natural = transposedDims({ ...rule, auto: 'none' }, spatial, extra) as number[];
  const out = attributes.ints('output_shape') ?? (transposedDims(rule, spatial, extra) as number[]);
  return { rule, out, begins: transposedBegins(rule, natural, out) };
}

/** With a fixed output shape the padding follows from what the natural extent has too much. */
function transposedBegins(rule: WindowRule, natural: readonly number[], out: readonly number[]): number[] {
  return natural.map((extent, axis) => {
    const excess =
      extent +
      (rule.pads[axis] as number) +
      (rule.pads[axis + natural.length] as number) -
      (out[axis] as number);
    if (extent === out[axis]) return rule.pads[axis] as number;
    return rule.auto === 'upper' ? Math.floor(excess / 2) : Math.ceil(excess / 2);
  });
}

/** Convolutions of ai.onnx. */
export const convolutionOps: readonly OpDefinition[] = [conv, convTranspose];
