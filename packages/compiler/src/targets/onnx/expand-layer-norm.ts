import { floatAttribute } from '../../transforms/node-attributes.ts';
import type { Expansion } from './expansion.ts';

export function expandLayerNorm(e: Expansion): string {
  return addLayerNormalization(e, e.required(0), e.required(1), e.required(2));
}

/** Add and LayerNormalization: onnxruntime makes its own SkipLayerNormalization of them. */
export function expandAddLayerNorm(e: Expansion): string {
  const sum = e.add('sum', 'Add', [e.required(0), e.required(1)]);
  return addLayerNormalization(e, sum, e.required(2), e.required(3));
}

export function addLayerNormalization(e: Expansion, x: string, gamma: string, beta: string): string {
  const epsilon = floatAttribute(e.node, 'epsilon', 1e-5);
  return e.add('normalized', 'LayerNormalization', [x, gamma, beta], { axis: -1n, epsilon });
}
