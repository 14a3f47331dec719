import { CompilerError } from '../../diagnostics/index.ts';
import type { Expansion } from './expansion.ts';

/** First version of ai.onnx with a Gelu operator. */
const GELU_OPSET = 20;

/** Adds the activation of this name to `x`; returns the result. */
export function expandActivation(e: Expansion, name: string, x: string): string {
  switch (name) {
    case 'none':
      return x;
    case 'relu':
      return e.add('relu', 'Relu', [x]);
    case 'tanh':
      return e.add('tanh', 'Tanh', [x]);
    case 'sigmoid':
      return e.add('sigmoid', 'Sigmoid', [x]);
    case 'silu':
      return e.add('silu', 'Mul', [x, e.add('sigmoid', 'Sigmoid', [x])]);
    case 'gelu':
      return expandGelu(e, 'none', x);
    case 'gelu_tanh':
      return expandGelu(e, 'tanh', x);
    default:
      throw new CompilerError('invalid-graph', `unknown activation '${name}'`, {
        at: { node: e.node.name || e.node.opType },
      });
  }
}

/** Gelu as onnxruntime runs it fastest, or spelled out where neither com.microsoft nor opset 20 may be used. */
export function expandGelu(e: Expansion, approximate: string, x: string): string {
  const tanh = approximate === 'tanh';
  if (e.options.contrib) return e.addMicrosoft('gelu', tanh ? 'FastGelu' : 'Gelu', [x]);
  if (e.options.opset >= GELU_OPSET) return e.add('gelu', 'Gelu', [x], { approximate });
  const inner = tanh
    ? tanhArgument(e, x)
    : e.add('gelu/divided', 'Div', [x, e.scalar('gelu/sqrt2', Math.SQRT2)]);
  const bent = e.add(tanh ? 'gelu/tanh' : 'gelu/erf', tanh ? 'Tanh' : 'Erf', [inner]);
  const raised = e.add('gelu/raised', 'Add', [bent, e.scalar('gelu/one', 1)]);
  const product = e.add('gelu/product', 'Mul', [x, raised]);
  return e.add('gelu', 'Mul', [product, e.scalar('gelu/half', 0.5)]);
}

/** √(2/π)·(x + 0.044715·x³), Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016. */
function tanhArgument(e: Expansion, x: string): string {
  const square = e.add('gelu/square', 'Mul', [x, x]);
  const cube = e.add('gelu/cube', 'Mul', [square, x]);
  const scaled = e.add('gelu/scaled', 'Mul', [cube, e.scalar('gelu/cubic', 0.044715)]);
  const sum = e.add('gelu/sum', 'Add', [x, scaled]);
  return e.add('gelu/argument', 'Mul', [sum, e.scalar('gelu/factor', Math.sqrt(2 / Math.PI))]);
}
