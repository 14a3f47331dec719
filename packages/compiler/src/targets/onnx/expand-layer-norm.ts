import { floatAttribute } from '../../transforms/node-attributes.ts';
import type { Expansion } from './expansion.ts';

export function expandLayerNorm(e: Expansion): string {
  return addLayerNormalization(e, e.required(0), e.required(1), e.required(2));
}

/** SkipLayerNormalization of com.microsoft, which onnxruntime does not find by itself behind MultiHeadAttention. */
export function expandAddLayerNorm(e: Expansion): string {
  const inputs = [e.required(0), e.required(1)];
  const parameters = [e.required(2), e.required(3)] as const;
  if (!e.options.contrib) return addLayerNormalization(e, e.add('sum', 'Add', inputs), ...parameters);
  const epsilon = floatAttribute(e.node, 'epsilon', 1e-5);
  return e.addMicrosoft('normalized', 'SkipLayerNormalization', [...inputs, ...parameters], { epsilon });
}

export function addLayerNormalization(e: Expansion, x: string, gamma: string, beta: string): string {
  const epsilon = floatAttribute(e.node, 'epsilon', 1e-5);
  return e.add('normalized', 'LayerNormalization', [x, gamma, beta], { axis: -1n, epsilon });
}
