import type { Diagnostic } from '../../diagnostics/index.ts';
import { CompilerError } from '../../diagnostics/index.ts';
import {
  denseTensor,
  float32Tensor,
  isFloat32,
  type Float32Tensor,
  type Model,
  type Node,
  type Tensor,
} from '../../ir/index.ts';
import { rewriteGraph, type Edit, type GraphView, type TransformResult } from '../../rewrite/index.ts';
import { activationGrid, type ValueRange } from '../grids/activation-grid.ts';
import type { WeightBits } from '../grids/integer-grid.ts';
import type { LayerEffect } from '../layer-effect.ts';
import { testOf, type LayerTest } from '../layer-test.ts';
import type { QuantizationError } from '../grids/quantization-error.ts';
import type { SecondMoments } from '../statistics/second-moments.ts';

/** Options that every scheme for `Linear` layers has. */
export interface LinearLayerOptions {
  /**
   * `dynamic`: each row's range is measured at run time. `static`: `ranges` are baked in; a layer whose input has none
   * stays dynamic, with a warning. Default dynamic.
   */
  readonly activations?: 'dynamic' | 'static';
  /** Range by value name, from `calibrate`; required for `static`. */
  readonly ranges?: ReadonlyMap<string, ValueRange>;
  /** Layers that stay float: node names, or a test of the name. Default: none. */
  readonly keepFloat?: LayerTest;
  /**
   * Second moments of the features by value name, from `observeActivations`: the weights of a column are then rounded for the least error
   * of the output together (GPTQ). Default: each to its nearest.
   */
  readonly moments?: ReadonlyMap<string, SecondMoments>;
  /** Called for each layer quantized. */
  readonly onLayer?: (effect: LayerEffect) => void;
}

export interface LinearWeight {
  /** [rows, columns]. */
  readonly weight: Float32Tensor;
  readonly moments: SecondMoments | undefined;
}

export interface QuantizedWeight {
  /** int8 or int4 [rows, columns]. */
  readonly weight: Tensor;
  readonly scale: Float32Array;
  readonly multiplier?: Tensor;
  readonly error: QuantizationError;
}

/** How weights are stored: the part in which the schemes differ. */
export interface WeightScheme {
  readonly bits: WeightBits;
  /** For reports. */
  readonly method: string;
  quantize(weight: LinearWeight): QuantizedWeight;
}

/** @throws CompilerError `bad-option` for static activations without ranges. */
export function checkLinearLayerOptions(verb: string, { activations, ranges }: LinearLayerOptions): void {
  if (activations === 'static' && ranges === undefined)
    throw new CompilerError('bad-option', `${verb}: static activations need ranges`, {
      hint: 'pass ranges: await calibrate(…), or use activations: "dynamic"',
    });
}

/** Turns edgewise `Linear` nodes with constant float32 weights into `QuantizedLinear`. */
export function quantizeLinearLayers(
  model: Model,
  scheme: WeightScheme,
  options: LinearLayerOptions,
): TransformResult {
  const run = new LinearLayers(scheme, options);
  const { edits, diagnostics } = rewriteGraph(model.graph, [
    {
      name: 'quantize-linear',
      operators: ['edgewise.Linear'],
      match: (node, index) => run.match(node, index),
    },
  ]);
  return { edits, diagnostics: [...diagnostics, ...run.diagnostics()] };
}

class LinearLayers {
  readonly #scheme: WeightScheme;
  readonly #options: LinearLayerOptions;
  readonly #keeps: (layer: string) => boolean;
  readonly #unknownNames: Set<string>;
  /** By layer, so that a second look at a layer says nothing twice. */
  readonly #warnings = new Map<string, Diagnostic>();
  /** Names of what a shared weight became. */
  readonly #done = new Map<Tensor, readonly string[]>();

  constructor(scheme: WeightScheme, options: LinearLayerOptions) {
    const { keepFloat = [] } = options;
    this.#scheme = scheme;
    this.#options = options;
    this.#keeps = testOf(keepFloat);
    this.#unknownNames = new Set(typeof keepFloat === 'function' ? [] : keepFloat);
  }

  diagnostics(): Diagnostic[] {
    const unknown = [...this.#unknownNames].map((name): Diagnostic => ({
      severity: 'warning',
      code: 'unknown-layer',
      message: `keepFloat names '${name}', but no Linear layer has that name`,
      at: { node: name },
    }));
    return [...this.#warnings.values(), ...unknown];
  }

  match(node: Node, index: GraphView): Edit | undefined {
    const layer = layerName(node);
    this.#unknownNames.delete(layer);
    if (this.#keeps(layer) || this.#warnings.get(layer)?.code === 'kept-float') return undefined;
    const [x = '', weightName = '', bias = ''] = node.inputs;
    const weight = index.constant(weightName);
    if (weight === undefined || !isFloat32(weight) || weight.dims.length !== 2) return undefined;

    const initializers = new Map<string, Tensor>();
    const names = this.#done.get(weight) ?? this.#quantize(layer, weightName, weight, x, index, initializers);
    if (names === undefined) return undefined;
    const [values = '', scale = '', multiplier = ''] = names;
    const grid = this.#activationNames(layer, x, index, initializers);
    const inputs = [x, values, scale, bias, multiplier, ...grid];
    while (inputs.at(-1) === '') inputs.pop();
    return {
      reason: `${layer}: weights in ${this.#scheme.bits} bits`,
      remove: [node],
      initializers,
      add: [
        {
          ...node,
          opType: 'QuantizedLinear',
          inputs,
          attributes: new Map([
            ...node.attributes,
            // The operator knows storage in 4, 7 and 8 bits.
            ['weight_bits', { kind: 'int', value: BigInt(Math.max(4, this.#scheme.bits)) }],
          ]),
        },
      ],
    };
  }

  /** Names of values, scale and multiplier; undefined when the weight cannot be quantized. */
  #quantize(
    layer: string,
    weightName: string,
    weight: Float32Tensor,
    x: string,
    index: GraphView,
    initializers: Map<string, Tensor>,
  ): readonly string[] | undefined {
    const [rows = 0, columns = 0] = weight.dims;
    const moments = this.#options.moments?.get(x);
    const quantized = this.#scheme.quantize({
      weight,
      moments: moments?.width === rows ? moments : undefined,
    });
    if (Number.isNaN(quantized.error.sqnrDb)) {
      this.#warn(layer, 'kept-float', `'${weightName}' holds a NaN or an infinity and stays float`);
      return undefined;
    }
    const add = (suffix: string, tensor: Tensor): string => {
      const name = index.freshName(`${weightName}_${suffix}`);
      initializers.set(name, tensor);
      return name;
    };
    const names = [
      add('quantized', quantized.weight),
      add('scale', float32Tensor([columns], quantized.scale)),
      quantized.multiplier === undefined ? '' : add('multiplier', quantized.multiplier),
    ];
    this.#done.set(weight, names);
    this.#options.onLayer?.({
      layer,
      operator: 'Linear',
      weight: weightName,
      bits: this.#scheme.bits,
      method: this.#scheme.method,
      activations: this.#rangeOf(x) === undefined ? 'dynamic' : 'static',
      ...quantized.error,
    });
    return names;
  }

  #rangeOf(value: string): ValueRange | undefined {
    return this.#options.activations === 'static' ? this.#options.ranges?.get(value) : undefined;
  }

  /** Names of x_scale and x_zero_point; none for a dynamic layer. Layers with the same input share them. */
  #activationNames(
    layer: string,
    x: string,
    index: GraphView,
    initializers: Map<string, Tensor>,
  ): readonly string[] {
    const range = this.#rangeOf(x);
    if (range === undefined) {
      if (this.#options.activations === 'static')
        this.#warn(layer, 'no-range', `there is no range for its input '${x}'; it stays dynamic`);
      return [];
    }
    const { scale, zeroPoint } = activationGrid(range);
    const [scaleName, zeroName] = [`${x}_x_scale`, `${x}_x_zero_point`];
    if (index.constant(scaleName) === undefined) {
      initializers.set(scaleName, float32Tensor([], [scale]));
      initializers.set(zeroName, denseTensor('uint8', [], Uint8Array.of(zeroPoint)));
    }
    return [scaleName, zeroName];
  }

  #warn(layer: string, code: string, message: string): void {
    this.#warnings.set(layer, {
      severity: 'warning',
      code,
      message: `${layer}: ${message}`,
      at: { node: layer },
    });
  }
}

/** The node's name; an unnamed one goes by its output. */
function layerName(node: Node): string {
  return node.name !== '' ? node.name : (node.outputs[0] ?? '');
}
