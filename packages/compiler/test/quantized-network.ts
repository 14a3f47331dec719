import { seededRandom } from '@edgewise/test-utils';
import {
  denseTensor,
  float32Tensor,
  type Attribute,
  type Model,
  type Node,
  type Tensor,
} from '../src/ir/index.ts';

/** One layer: a convolution, pooling, or a sum or concatenation of what it and the layer `back` before it made. */
export type Layer =
  | {
      kind: 'conv';
      filters: number;
      kernel: [number, number];
      strides?: [number, number];
      dilations?: [number, number];
      /** As in ONNX: top, left, bottom, right. */
      pads?: [number, number, number, number];
      depthwise?: boolean;
      /** Of channels. Default 1. */
      groups?: number;
    }
  | {
      kind: 'max-pool';
      kernel: [number, number];
      strides: [number, number];
      pads: [number, number, number, number];
      ceil?: boolean;
    }
  | { kind: 'add'; back: number }
  | { kind: 'concat'; back: number };

export interface NetworkOptions {
  seed: number;
  image: [channels: number, height: number, width: number];
  layers: readonly Layer[];
  /** The mean is multiplied by a matrix with so many columns. */
  classes?: number;
  /** The matrix product is not quantized again. */
  floatLogits?: boolean;
}

/** A quantized network with random weights in ONNX's operator-oriented form; ends in a mean over all pixels. */
export function quantizedNetwork({
  seed,
  image,
  layers,
  classes,
  floatLogits = false,
}: NetworkOptions): Model {
  const random = seededRandom(seed);
  const initializers = new Map<string, Tensor>();
  const nodes: Node[] = [];
  const constant = (name: string, tensor: Tensor): string => {
    initializers.set(name, tensor);
    return name;
  };
  const grid = (name: string, scale: number, zero = random.int(0, 255)): [string, string] => [
    constant(`${name}_scale`, float32Tensor([], [scale])),
    constant(`${name}_zero`, denseTensor('uint8', [], Uint8Array.of(zero))),
  ];
  const add = (opType: string, domain: string, inputs: string[], output: string, attributes = {}): void => {
    nodes.push({
      name: output,
      opType,
      domain,
      inputs,
      outputs: [output],
      attributes: new Map<string, Attribute>(Object.entries(attributes)),
    });
  };
  const made: { name: string; grid: [string, string]; channels: number }[] = [];
  const record = (name: string, values: [string, string], channels: number): void => {
    made.push({ name, grid: values, channels });
  };

  const inputGrid = grid('x', 0.02);
  add('QuantizeLinear', '', ['image', ...inputGrid], 'x');
  record('x', inputGrid, image[0]);
  layers.forEach((layer, index) => {
    const x = made.at(-1)!;
    const output = `y${index}`;
    if (layer.kind === 'add') {
      const other = made.at(-1 - layer.back)!;
      const sum = grid(output, 0.05);
      add('QLinearAdd', 'com.microsoft', [x.name, ...x.grid, other.name, ...other.grid, ...sum], output);
      return record(output, sum, x.channels);
    }
    if (layer.kind === 'concat') {
      const other = made.at(-1 - layer.back)!;
      const both = grid(output, 0.04);
      const parts = [x.name, ...x.grid, other.name, ...other.grid];
      add('QLinearConcat', 'com.microsoft', [...both, ...parts], output, {
        axis: { kind: 'int', value: 1n },
      });
      return record(output, both, x.channels + other.channels);
    }
    if (layer.kind === 'max-pool') {
      add('MaxPool', '', [x.name], output, {
        kernel_shape: ints(layer.kernel),
        strides: ints(layer.strides),
        pads: ints(layer.pads),
        ceil_mode: { kind: 'int', value: layer.ceil ? 1n : 0n },
      });
      return record(output, x.grid, x.channels);
    }
    const { filters, kernel, strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], depthwise } = layer;
    const groups = depthwise ? filters : (layer.groups ?? 1);
    const perFilter = x.channels / groups;
    const depth = perFilter * kernel[0] * kernel[1];
    const weights = Int8Array.from({ length: filters * depth }, () => random.int(-127, 127));
    const y = grid(output, 0.03);
    add(
      'QLinearConv',
      '',
      [
        x.name,
        ...x.grid,
        constant(`${output}_w`, denseTensor('int8', [filters, perFilter, ...kernel], weights)),
        constant(
          `${output}_w_scale`,
          float32Tensor([filters], random.uniform(filters, 0.2 / depth, 1 / depth)),
        ),
        constant(`${output}_w_zero`, denseTensor('int8', [filters], new Int8Array(filters))),
        ...y,
        constant(
          `${output}_b`,
          denseTensor(
            'int32',
            [filters],
            Int32Array.from({ length: filters }, () => random.int(-900, 900)),
          ),
        ),
      ],
      output,
      {
        strides: ints(strides),
        dilations: ints(dilations),
        pads: ints(pads),
        kernel_shape: ints(kernel),
        group: { kind: 'int', value: BigInt(groups) },
      },
    );
    record(output, y, filters);
  });
  const last = made.at(-1)!;
  const mean = grid('mean', 0.06, 128);
  add('QLinearGlobalAveragePool', 'com.microsoft', [last.name, ...last.grid, ...mean], 'mean', {
    channels_last: { kind: 'int', value: 0n },
  });
  add('Flatten', '', ['mean'], 'row', { axis: { kind: 'int', value: 1n } });
  let columns = last.channels;
  if (classes === undefined) add('DequantizeLinear', '', ['row', ...mean], 'output');
  else {
    columns = classes;
    const logits = grid('logits', 0.05, 128);
    const weights = Int8Array.from({ length: classes * last.channels }, () => random.int(-127, 127));
    add(
      'QGemm',
      'com.microsoft',
      [
        'row',
        ...mean,
        constant('gemm_w', denseTensor('int8', [classes, last.channels], weights)),
        constant('gemm_w_scale', float32Tensor([classes], random.uniform(classes, 0.001, 0.003))),
        constant('gemm_w_zero', denseTensor('int8', [classes], new Int8Array(classes))),
        constant('gemm_b', denseTensor('int32', [classes], new Int32Array(classes).fill(7))),
        ...(floatLogits ? [] : logits),
      ],
      floatLogits ? 'output' : 'logits',
      { transB: { kind: 'int', value: 1n } },
    );
    if (!floatLogits) add('DequantizeLinear', '', ['logits', ...logits], 'output');
  }

  return {
    irVersion: 8,
    opsets: new Map([
      ['', 13],
      ['com.microsoft', 1],
    ]),
    producer: { name: 'test', version: '' },
    domain: '',
    modelVersion: 0n,
    metadata: new Map(),
    functions: [],
    graph: {
      name: 'network',
      inputs: [{ name: 'image', type: { kind: 'tensor', dtype: 'float32', shape: [1, ...image] } }],
      outputs: [{ name: 'output', type: { kind: 'tensor', dtype: 'float32', shape: [1, columns] } }],
      nodes,
      initializers,
      valueInfo: new Map(),
    },
  };
}

function ints(values: readonly number[]): Attribute {
  return { kind: 'ints', value: values.map(BigInt) };
}
