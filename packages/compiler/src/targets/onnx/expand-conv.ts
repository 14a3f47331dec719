import { CompilerError } from '../../diagnostics/index.ts';
import type { Attribute } from '../../ir/index.ts';
import { floatAttribute, stringAttribute } from '../../transforms/node-attributes.ts';
import { expandActivation } from './expand-activation.ts';
import type { Expansion } from './expansion.ts';

/** First version of ai.onnx with a Mish operator. */
const MISH_OPSET = 18;

/** Attributes of `edgewise.Conv` that ai.onnx Conv has too. */
const WINDOW = ['dilations', 'group', 'kernel_shape', 'pads', 'strides'];

/** Conv, activation. */
export function expandConv(e: Expansion): string {
  const bias = e.optional(2);
  const inputs = [e.required(0), e.required(1), ...(bias === undefined ? [] : [bias])];
  const kept = [...e.node.attributes].filter(([name]) => WINDOW.includes(name));
  return expandConvActivation(e, e.add('conv', 'Conv', inputs, Object.fromEntries(kept.map(plain))));
}

function plain([name, attribute]: readonly [string, Attribute]): [string, bigint | readonly bigint[]] {
  if (attribute.kind === 'int' || attribute.kind === 'ints') return [name, attribute.value];
  throw new CompilerError('invalid-graph', `Conv has the attribute "${name}" as ${attribute.kind}`);
}

function expandConvActivation(e: Expansion, x: string): string {
  const name = stringAttribute(e.node, 'activation', 'none');
  const value = (attribute: string, fallback: number): number => floatAttribute(e.node, attribute, fallback);
  switch (name) {
    case 'clip':
      return e.add('clip', 'Clip', [x, e.scalar('min', value('min', 0)), e.scalar('max', value('max', 0))]);
    case 'leaky_relu':
      return e.add('leaky_relu', 'LeakyRelu', [x], { alpha: value('alpha', 0.01) });
    case 'hard_swish':
      return e.add('hard_swish', 'HardSwish', [x]);
    case 'hard_sigmoid':
      return e.add('hard_sigmoid', 'HardSigmoid', [x], {
        alpha: value('alpha', 0.2),
        beta: value('beta', 0.5),
      });
    case 'mish':
      return expandMish(e, x);
    default:
      return expandActivation(e, name, x);
  }
}

function expandMish(e: Expansion, x: string): string {
  if (e.options.opset >= MISH_OPSET) return e.add('mish', 'Mish', [x]);
  const bent = e.add('mish/tanh', 'Tanh', [e.add('mish/softplus', 'Softplus', [x])]);
  return e.add('mish', 'Mul', [x, bent]);
}
