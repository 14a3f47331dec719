import { CompilerError, type Diagnostic } from '../diagnostics/index.ts';
import { denseTensor, float32Tensor, type Dim, type Model, type Node, type Tensor } from '../ir/index.ts';
import { defineTransform, type Transform, type TransformResult } from '../rewrite/index.ts';
import { float32Constant } from '../transforms/constants.ts';
import { removeDeadCode } from '../transforms/remove-dead-code.ts';
import { attributes } from '../transforms/node-attributes.ts';
import { activationGrid, type ActivationGrid } from './activation-grid.ts';
import type { WeightRange } from './choose-scale.ts';
import { layerName, planConvNet, shareGrids, type ConvNetPlan } from './conv-net-plan.ts';
import { applyQuantizedRules } from './fuse-quantized.ts';
import type { LayerEffect } from './layer-effect.ts';
import { LOSSY } from './lossy.ts';
import type { ConvNetStatistics } from './observe-conv-net.ts';
import { quantizeLayer } from './quantize-layer.ts';

export interface QuantizeConvNetOptions {
  /** Ranges and channel means, from `observeConvNet` on the same graph. */
  readonly statistics: ConvNetStatistics;
  /** 8, or 7: one exact instruction per 16 products on every CPU. Default 8. */
  readonly weightBits?: 7 | 8;
  /** How each output channel's scale is chosen. Default mse. */
  readonly weightRange?: WeightRange;
  /** Whether biases take back the shift that rounding of the weights causes on average. Default true. */
  readonly correctBias?: boolean;
  /** Layers that stay float: node names, or a test of the name. Default: none. */
  readonly keepFloat?: readonly string[] | ((layer: string) => boolean);
  /** Called for each layer quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

export const QUANTIZE_CONV_NET_DEFAULTS: Required<
  Pick<QuantizeConvNetOptions, 'weightBits' | 'weightRange' | 'correctBias' | 'keepFloat'>
> = { weightBits: 8, weightRange: 'mse', correctBias: true, keepFloat: [] };

/**
 * Turns a compact graph into ONNX's operator-oriented quantized form (docs/architecture.md, section 4): uint8 activations with
 * calibrated grids, int8 weights per output channel, int32 biases. What follows the last layers stays float.
 *
 * ```ts
 * const { model: float } = await runPasses(readOnnx(bytes), [...compactConvNet(), separateActivations()]);
 * const statistics = await observeConvNet(float, run, images);
 * const { model } = await runPasses(float, [quantizeConvNet({ statistics })]);
 * ```
 * @throws CompilerError `bad-option` for other bits.
 */
export function quantizeConvNet(options: QuantizeConvNetOptions): Transform {
  const settings = { ...QUANTIZE_CONV_NET_DEFAULTS, ...options };
  if (settings.weightBits !== 7 && settings.weightBits !== 8)
    throw new CompilerError(
      'bad-option',
      `quantizeConvNet: weightBits must be 7 or 8, got ${String(settings.weightBits)}`,
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
  const { keepFloat } = settings;
  const keeps = typeof keepFloat === 'function' ? keepFloat : (layer: string) => keepFloat.includes(layer);
  const writer = new GridWriter(model, planConvNet(model, keeps), settings);
  const layers = writer.run();
  if (layers > 0) {
    applyQuantizedRules(model);
    // The float weights.
    removeDeadCode().apply(model);
  }
  return { edits: layers, diagnostics: writer.diagnostics };
}

/** Puts QuantizeLinear and DequantizeLinear behind every value of the plan; `fuseQuantized`'s rules do the rest. */
class GridWriter {
  readonly diagnostics: Diagnostic[] = [];
  readonly #model: Model;
  readonly #plan: ConvNetPlan;
  readonly #settings: Settings;
  readonly #grids: ReadonlyMap<string, ActivationGrid>;
  /** The dequantized form of a value. */
  readonly #restored = new Map<string, string>();
  readonly #nodes: Node[] = [];

  constructor(model: Model, plan: ConvNetPlan, settings: Settings) {
    this.#model = model;
    this.#plan = plan;
    this.#settings = settings;
    const ranges = shareGrids(plan, settings.statistics.ranges);
    this.#grids = new Map([...ranges].map(([value, range]) => [value, activationGrid(range)]));
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
          outputs.has(name) && this.#grids.has(name) ? [[name, this.#fresh(`${name}.float`)] as const] : [],
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

  #withRestoredInputs(node: Node): Node {
    return { ...node, inputs: node.inputs.map((name) => this.#restored.get(name) ?? name) };
  }

  /** `from` → QuantizeLinear → DequantizeLinear → `to`, under the grid of `value`. */
  #writeGrid(value: string, from: string, to: string): void {
    const grid = this.#grids.get(value);
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
    const { statistics, weightBits: bits, weightRange: range, correctBias, onLayer } = this.#settings;
    const { index } = this.#plan;
    const [x = '', weightName = '', biasName = ''] = node.inputs;
    const grid = this.#grids.get(x);
    const weight = float32Constant(index, weightName);
    const layer = layerName(node);
    if (grid === undefined || weight === undefined)
      return this.#keepFloat(layer, `there is no range for '${x}'`);
    const quantized = quantizeLayer({
      node,
      weight,
      bias: float32Constant(index, biasName),
      xScale: grid.scale,
      means: correctBias ? statistics.means.get(x) : undefined,
      shapes: { x: this.#extents(x), y: this.#extents(node.outputs[0] ?? '') },
      bits,
      range,
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
      activations: 'static',
      ...quantized.error,
    });
    return { ...node, inputs: [this.#restored.get(x) ?? x, restoredWeight, restoredBias] };
  }

  #keepFloat(layer: string, why: string): undefined {
    this.diagnostics.push({
      severity: 'warning',
      code: 'kept-float',
      message: `${layer} stays float: ${why}`,
      at: { node: layer },
    });
    return undefined;
  }

  #writeConstant(
    base: string,
    values: Tensor,
    scale: Float32Array,
    zero: Tensor | undefined,
    axis: number,
  ): string {
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

function plain(opType: string, inputs: readonly string[], output: string): Node {
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes: new Map() };
}
