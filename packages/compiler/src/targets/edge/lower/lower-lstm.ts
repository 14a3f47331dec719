import type { Node } from '../../../ir/index.ts';
import { gateColumns, LSTM_GATES } from '../kernels/index.ts';
import { padRows } from '../weights/int4.ts';
import { refuse, type LoweringContext } from './lowering-context.ts';
import type { Address, FloatWeight, Operand, QuantizedWeight } from '../program/program.ts';
import {
  defineLastStates,
  defineSequence,
  defineStates,
  directionsOf,
  floatWeights,
  gateBias,
  gateValue,
  initialState,
  outputValue,
  partOf,
  readLayer,
  type Direction,
} from './recurrent-layer.ts';
import { viewRows } from '../program/tensor-view.ts';
import { roundUp, type Value } from '../program/value.ts';

/**
 * ai.onnx LSTM: X [steps, batch, features], W, R, B?, –, initial_h?, initial_c? → Y, Y_h?, Y_c?; com.microsoft
 * DynamicQuantizeLSTM with W and R in int8.
 */
export function lowerLstm(context: LoweringContext, node: Node): void {
  const layer = readLayer(context, node, LSTM_GATES);
  const runs = directionsOf(layer).map((direction) => lowerDirection(context, direction));
  const ys = runs.map(({ y }) => y);
  const cells = runs.map(({ cell }) => viewRows(cell, [1, layer.batch, layer.hidden]));
  defineSequence(context, layer, ys);
  defineLastStates(context, layer, ys);
  defineStates(context, layer, 2, cells);
}

function lowerDirection(context: LoweringContext, direction: Direction): { y: Value; cell: Value } {
  const { node, name, x, hidden, batch, reverse } = direction;
  const gates = gateValue(direction);
  const isInt8 = node.opType === 'DynamicQuantizeLSTM';
  const { weight, recurrence }: Weights = isInt8
    ? int8Weights(context, direction)
    : floatWeights(context, direction, LSTM_GATES);
  const source = isInt8 ? context.quantized(x, undefined) : x;
  context.emit({ op: 'linear', x: source, weight, activation: 'none', output: gates });

  const output = outputValue(direction);
  const cell: Value = { name: `${name}.cell`, kind: 'float', rows: batch, columns: hidden };
  const [h, c] = [5, 6].map((slot) => initialState(context, slot, direction)) as [Operand, Operand];
  context.emit({ op: 'lstm', gates, weights: recurrence, h, c, reverse, batch, output, cell });
  return { y: output, cell };
}

interface Weights {
  /** Of x, with the biases. */
  readonly weight: FloatWeight | QuantizedWeight;
  /** Of the state. */
  readonly recurrence: Address | QuantizedWeight;
}

function int8Weights({ constants }: LoweringContext, direction: Direction): Weights {
  const { node, x, hidden, index } = direction;
  const [, w = '', r = '', b = '', , , , , wScale = '', wZero = '', rScale = '', rZero = ''] = node.inputs;
  const columns = LSTM_GATES * hidden;
  const pad = <T extends Float32Array | Int8Array>(values: T): T =>
    padRows(values, hidden, roundUp(hidden, 8)) as T;
  const matrix = (
    name: string,
    scaleName: string,
    zeroName: string,
    k: number,
    biasName: string,
  ): QuantizedWeight => {
    const values = constants.int8(name);
    if (values === undefined || constants.numbers(zeroName).some((zero) => zero !== 0))
      throw refuse(node, 'weights that are not int8 with zero points of 0 are not supported');
    const scales = Float32Array.from(constants.numbers(scaleName));
    const scale = partOf(scales, direction);
    return constants.int8Matrix(`${name} ${index} ${biasName}`, () => ({
      k,
      n: gateColumns(LSTM_GATES, hidden),
      values: pad(partOf(values, direction)),
      scale: pad(scale.length === 1 ? new Float32Array(columns).fill(scale[0]!) : scale),
      bias: biasName
        ? gateBias(partOf(Float32Array.from(constants.numbers(biasName)), direction), direction, LSTM_GATES)
        : undefined,
    }));
  };
  return { weight: matrix(w, wScale, wZero, x.columns, b), recurrence: matrix(r, rScale, rZero, hidden, '') };
}
