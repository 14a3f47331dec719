import type { Node } from '../../../ir/index.ts';
import { readAttributes } from '../../../ops/index.ts';
import { GRU_GATES } from '../kernels/index.ts';
import type { LoweringContext } from './lowering-context.ts';
import type { Address } from '../program/program.ts';
import {
  defineLastStates,
  defineSequence,
  directionsOf,
  floatWeights,
  gateValue,
  initialState,
  outputValue,
  partOf,
  readLayer,
  type Direction,
} from './recurrent-layer.ts';
import { roundUp, type Value } from '../program/value.ts';

/** ai.onnx GRU: X [steps, batch, features], W, R, B?, –, initial_h? → Y, Y_h?. */
export function lowerGru(context: LoweringContext, node: Node): void {
  const layer = readLayer(context, node, GRU_GATES);
  const ys = directionsOf(layer).map((direction) => lowerDirection(context, direction));
  defineSequence(context, layer, ys);
  defineLastStates(context, layer, ys);
}

function lowerDirection(context: LoweringContext, direction: Direction): Value {
  const { node, x, batch, reverse } = direction;
  const resetsProduct = readAttributes(node).int('linear_before_reset', 0) !== 0;
  const gates = gateValue(direction);
  const merged = resetsProduct ? GRU_GATES - 1 : GRU_GATES;
  const { weight, recurrence: weights } = floatWeights(context, direction, merged);
  context.emit({ op: 'linear', x, weight, activation: 'none', output: gates });

  const output = outputValue(direction);
  const h = initialState(context, 5, direction);
  const bias = resetsProduct ? candidateBias(context, direction) : undefined;
  context.emit({ op: 'gru', gates, weights, bias, h, reverse, batch, output });
  return output;
}

/** The last gate's bias of the state. */
function candidateBias({ constants }: LoweringContext, direction: Direction): Address {
  const { node, hidden, index } = direction;
  const name = node.inputs[3] ?? '';
  if (name === '') return constants.bias('', hidden);
  return constants.packed(name, `candidate ${index}`, (values) => {
    const padded = new Float32Array(roundUp(hidden, 8));
    padded.set(partOf(values, direction).subarray(-hidden));
    return padded;
  });
}
