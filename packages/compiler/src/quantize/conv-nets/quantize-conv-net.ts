import { CompilerError, type Diagnostic } from '../../diagnostics/index.ts';
import {
  denseTensor,
  float32Tensor,
  typedData,
  type Dim,
  type Model,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import { defineTransform, rewriteGraph, type Transform, type TransformResult } from '../../rewrite/index.ts';
import { float32Constant } from '../../transforms/constants.ts';
import { removeDeadCode } from '../../transforms/remove-dead-code.ts';
import { attributes } from '../../transforms/node-attributes.ts';
import { activationGrid } from '../grids/activation-grid.ts';
import type { WeightRange } from '../weights/choose-scale.ts';
import type { ActivationRange } from '../ranges/activation-range.ts';
import {
  chooseRanges,
  layerName,
  planConvNet,
  shareGrids,
  type ChosenRange,
  type Grids,
  type ConvNetPlan,
} from './conv-net-plan.ts';
import { applyQuantizedRules } from './fuse-quantized.ts';
import type { LayerEffect } from '../layer-effect.ts';
import { testOf, type LayerTest } from '../layer-test.ts';
import { LOSSY } from '../lossy.ts';
import { findNoisy, keptFloat } from './noisy-layers.ts';
import type { ConvNetStatistics } from '../statistics/value-statistics.ts';
import { quantizeLayer } from './quantize-layer.ts';
import { JOIN_ACTIVATION, SPELL_SILU } from './separate-activations.ts';

export interface QuantizeConvNetOptions {
  /** From `observeConvNet` on the same graph. */
  readonly statistics: ConvNetStatistics;
  /** `float`: weights and biases alone are rounded, and written as floats: what they cost by themselves. Default static. */
  readonly activations?: 'static' | 'float';
  /** How the ranges of activations are found. Default mse. */
  readonly activationRange?: ActivationRange;
  /** 8, or 7: one exact instruction per 16 products on every CPU. Default 8. */
  readonly weightBits?: 7 | 8;
  /** Layers that have 8 bits where the others have 7: names, or a test of the name. Default: none. */
  readonly eightBits?: LayerTest;
  /**
   * Largest share of a layer's output that the rounding of its input may be, and of an activation's output that the rounding of the sums
   * before it may be, 0 … 1; layers above it stay float. Default 0.015.
   */
  readonly noiseLimit?: number;
  /** How each output channel's scale is chosen. Default mse. */
  readonly weightRange?: WeightRange;
  /**
   * `nearest`: each weight by itself. `together`: the weights of a filter for the least error of its output (GPTQ). Default together.
   */
  readonly rounding?: 'nearest' | 'together';
  /** Whether biases take back the shift that rounding of the weights causes on average. Default true. */
  readonly correctBias?: boolean;
  /** Nodes that stay float: names, or a test of the name. Default: none but those that `noiseLimit` finds. */
  readonly keepFloat?: LayerTest;
  /** Called for each layer quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

export const QUANTIZE_CONV_NET_DEFAULTS: Required<Omit<QuantizeConvNetOptions, 'statistics' | 'onLayer'>> = {
  activations: 'static',
  activationRange: 'mse',
  weightBits: 8,
  eightBits: [],
  noiseLimit: 0.015,
  weightRange: 'mse',
  rounding: 'together',
  correctBias: true,
  keepFloat: [],
};

/**
 * Turns a compact graph into ONNX's operator-oriented quantized form (docs/architecture.md, section 4): uint8 activations with
 * calibrated grids, int8 weights per output channel, int32 biases. What follows the last layers stays float.
 *
 * ```ts
 * const { model: float } = await runPasses(readOnnx(bytes), [...compactConvNet(), separateActivations()]);
 * const statistics = await observeConvNet(float, run, images);
 * const { model } = await runPasses(float, [quantizeConvNet({ statistics })]);
 * ```
 * @throws CompilerError `bad-option` for other bits, or a limit that is no share.
 */
export function quantizeConvNet(options: QuantizeConvNetOptions): Transform {
  const settings = { ...QUANTIZE_CONV_NET_DEFAULTS, ...options };
  if (settings.weightBits !== 7 && settings.weightBits !== 8)
    throw new CompilerError(
      'bad-option',
      `quantizeConvNet: weightBits must be 7 or 8, got ${String(settings.weightBits)}`,
    );
  const { noiseLimit } = settings;
  if (!(noiseLimit >= 0 && noiseLimit <= 1))
    throw new CompilerError(
      'bad-option',
      `quantizeConvNet: noiseLimit must be from 0 to 1, got ${noiseLimit}`,
    );
  return defineTransform({
    name: 'quantizeConvNet',
    description: 'static int8: 8-bit activations and int8 weights per output channel',
    tolerance: LOSSY,
    apply: (model) => quantize(model, settings),
  });
}

type Settings = QuantizeConvNetOptions & typeof QUANTIZE_CONV_NET_DEFAULTS;

function quantize(model: Model, settings: Settings): TransformResult {
  const keeps = testOf(settings.keepFloat);
  const whole = planConvNet(model, keeps);
  const ranges = rangesOf(whole, model, settings);
  const noisy = findNoisy(whole, ranges, gridsOf(whole, ranges), settings);
  const plan = planConvNet(model, (node) => noisy.has(node) || keeps(node));
  const writer = new GridWriter(model, plan, gridsOf(plan, rangesOf(plan, model, settings)), settings);
  const layers = writer.run();
  if (layers > 0) applyQuantizedRules(model);
  rewriteGraph(model.graph, [JOIN_ACTIVATION]);
  // What could not be joined.
  rewriteGraph(model.graph, [SPELL_SILU]);
  // The float weights.
  if (layers > 0) removeDeadCode().apply(model);
  return { edits: layers, diagnostics: [...noisy.values(), ...writer.diagnostics] };
}

function rangesOf(plan: ConvNetPlan, { opsets }: Model, settings: Settings): Map<string, ChosenRange> {
  return chooseRanges(plan, settings.statistics, settings.activationRange, opsets);
}

function gridsOf(plan: ConvNetPlan, ranges: ReadonlyMap<string, ChosenRange>): Grids {
  return new Map([...shareGrids(plan, ranges)].map(([value, range]) => [value, activationGrid(range)]));
}

/** Puts QuantizeLinear and DequantizeLinear behind every value of the plan; `fuseQuantized`'s rules do the rest. */
class GridWriter {
  readonly diagnostics: Diagnostic[] = [];
  readonly #model: Model;
  readonly #plan: ConvNetPlan;
  readonly #settings: Settings;
  readonly #grids: Grids;
  /** The grids that values are rounded to. */
  readonly #written: Grids;
  /** The dequantized form of a value. */
  readonly #restored = new Map<string, string>();
  readonly #nodes: Node[] = [];

  constructor(model: Model, plan: ConvNetPlan, grids: Grids, settings: Settings) {
    this.#model = model;
    this.#plan = plan;
    this.#grids = grids;
    this.#written = settings.activations === 'static' ? grids : new Map();
    this.#settings = settings;
  }

  /** Returns the number of layers quantized. */
  run(): number {
    const { graph } = this.#model;
    const outputs = new Set(graph.outputs.map(({ name }) => name));
    let layers = 0;
    for (const { name } of graph.inputs) this.#writeGrid(name, name, name);
    for (const node of graph.nodes) {
      const quantized = this.#plan.layers.has(node) ? this.#writeLayer(node) : undefined;
      if (quantized !== undefined) layers++;
      const moved = quantized ?? this.#withRestoredInputs(node);
      const renamed = new Map(
        moved.outputs.flatMap((name) =>
          outputs.has(name) && this.#written.has(name) ? [[name, this.#fresh(`${name}.float`)] as const] : [],
        ),
      );
      this.#nodes.push({ ...moved, outputs: moved.outputs.map((name) => renamed.get(name) ?? name) });
      for (const name of moved.outputs) {
        const from = renamed.get(name);
        this.#writeGrid(name, from ?? name, from === undefined ? this.#fresh(`${name}.restored`) : name);
      }
    }
    graph.nodes = this.#nodes;
    graph.valueInfo.clear();
    return layers;
  }

  /** Float nodes read the integers only of what no float node made. */
  #withRestoredInputs(node: Node): Node {
    const { index, region } = this.#plan;
    const restored = (name: string): string => {
      const producer = index.producer(name);
      const isFloat = producer === undefined || !region.has(producer);
      return isFloat && !region.has(node) ? name : (this.#restored.get(name) ?? name);
    };
    return { ...node, inputs: node.inputs.map(restored) };
  }

  /** `from` → QuantizeLinear → DequantizeLinear → `to`, under the grid of `value`. */
  #writeGrid(value: string, from: string, to: string): void {
    const grid = this.#written.get(value);
    if (grid === undefined) return;
    const restored = to === value && from === value ? this.#fresh(`${value}.restored`) : to;
    const quantized = this.#fresh(`${value}.quantized`);
    const names = [
      this.#constant(`${value}.scale`, float32Tensor([], [grid.scale])),
      this.#constant(`${value}.zero_point`, denseTensor('uint8', [], Uint8Array.of(grid.zeroPoint))),
    ];
    this.#nodes.push(plain('QuantizeLinear', [from, ...names], quantized));
    this.#nodes.push(plain('DequantizeLinear', [quantized, ...names], restored));
    this.#restored.set(value, restored);
  }

  /** The layer on dequantized integers; undefined where it stays float. */
  #writeLayer(node: Node): Node | undefined {
    const {
      statistics,
      weightBits,
      eightBits,
      weightRange: range,
      rounding,
      correctBias,
      onLayer,
    } = this.#settings;
    const { index } = this.#plan;
    const [x = '', weightName = '', biasName = ''] = node.inputs;
    const grid = this.#grids.get(x);
    const weight = float32Constant(index, weightName);
    const layer = layerName(node);
    if (grid === undefined || weight === undefined)
      return this.#keepFloat(layer, `there is no range for '${x}'`);
    const [output = ''] = node.outputs;
    const bits = testOf(eightBits)(layer) ? 8 : weightBits;
    const quantized = quantizeLayer({
      node,
      weight,
      bias: float32Constant(index, biasName),
      xScale: grid.scale,
      patches: statistics.get(x)?.patches.get(layer),
      input: statistics.get(x),
      output: statistics.get(output),
      correctBias,
      shapes: { x: this.#extents(x), y: this.#extents(output) },
      range,
      bits,
      together: rounding === 'together',
    });
    if (Number.isNaN(quantized.error.sqnrDb))
      return this.#keepFloat(layer, `'${weightName}' holds a NaN or an infinity`);
    const count = quantized.scale.length;
    const axis = node.opType === 'Conv' ? 0 : 1;
    const restoredWeight = this.#writeConstant(
      `${layer}.weight`,
      denseTensor('int8', weight.dims, quantized.weight),
      quantized.scale,
      denseTensor('int8', [count], new Int8Array(count)),
      axis,
    );
    const biasScale = quantized.scale.map((scale) => scale * grid.scale);
    const restoredBias = this.#writeConstant(
      `${layer}.bias`,
      denseTensor('int32', [count], quantized.bias),
      biasScale,
      undefined,
      0,
    );
    const method = `per channel, ${range}`;
    onLayer?.({
      layer,
      operator: node.opType,
      weight: weightName,
      bits,
      method,
      ...(this.#settings.activations === 'static' && { activations: 'static' }),
      ...quantized.error,
      ...(quantized.weightNoise !== undefined && { noise: quantized.weightNoise }),
    });
    return { ...node, inputs: [this.#restored.get(x) ?? x, restoredWeight, restoredBias] };
  }

  #keepFloat(layer: string, why: string): undefined {
    this.diagnostics.push(keptFloat(layer, why));
    return undefined;
  }

  #writeConstant(
    base: string,
    values: Integers,
    scale: Float32Array,
    zero: Tensor | undefined,
    axis: number,
  ): string {
    if (this.#settings.activations === 'float')
      return this.#constant(`${base}.rounded`, dequantized(values, scale, axis));
    const inputs = [
      this.#constant(`${base}.quantized`, values),
      this.#constant(`${base}.scale`, float32Tensor([scale.length], scale)),
      ...(zero === undefined ? [] : [this.#constant(`${base}.zero_point`, zero)]),
    ];
    const restored = this.#fresh(`${base}.restored`);
    this.#nodes.push({
      ...plain('DequantizeLinear', inputs, restored),
      attributes: attributes({ axis: BigInt(axis) }),
    });
    return restored;
  }

  #constant(base: string, tensor: Tensor): string {
    const name = this.#fresh(base);
    this.#model.graph.initializers.set(name, tensor);
    return name;
  }

  #fresh(base: string): string {
    return this.#plan.index.freshName(base);
  }

  #extents(value: string): number[] {
    const shape: readonly Dim[] = this.#plan.types.get(value)?.shape ?? [];
    return shape.map((dim) => (typeof dim === 'number' ? dim : 1));
  }
}

type Integers = Tensor & { kind: 'dense'; dtype: 'int8' | 'int32' };

/** With a scale for each position along an axis. */
function dequantized(values: Integers, scale: Float32Array, axis: number): Tensor {
  const inner = values.dims.slice(axis + 1).reduce((product, extent) => product * extent, 1);
  const data = Float32Array.from(
    typedData(values),
    (q, at) => q * scale[Math.floor(at / inner) % scale.length]!,
  );
  return float32Tensor(values.dims, data);
}

function plain(opType: string, inputs: readonly string[], output: string): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: new Map() };
}
