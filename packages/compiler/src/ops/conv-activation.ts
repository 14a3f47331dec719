import { CompilerError } from '../diagnostics/index.ts';
import { hardSigmoid, mish, sigmoid } from './activations.ts';
import type { NodeContext } from './op-definition.ts';

type Unary = (x: number) => number;
type Factory = (attributes: NodeContext['attributes']) => Unary;

const FACTORIES: Readonly<Record<string, Factory | undefined>> = {
  relu: () => (x) => (x < 0 ? 0 : x),
  clip: (attributes) => {
    const [low, high] = [attributes.float('min'), attributes.float('max')];
    return (x) => Math.min(Math.max(x, low), high);
  },
  leaky_relu: (attributes) => {
    const alpha = attributes.float('alpha', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  },
  hard_swish: () => (x) => x * hardSigmoid(x, 1 / 6, 0.5),
  hard_sigmoid: (attributes) => {
    const [alpha, beta] = [attributes.float('alpha', 0.2), attributes.float('beta', 0.5)];
    return (x) => hardSigmoid(x, alpha, beta);
  },
  silu: () => (x) => x * sigmoid(x),
  mish: () => mish,
  sigmoid: () => sigmoid,
  tanh: () => Math.tanh,
};

/**
 * The function behind the `activation` of `edgewise.Conv`; undefined for none.
 * @throws CompilerError `invalid-graph` for a name that is not in docs/architecture.md, section 4.
 */
export function convActivation({ node, attributes }: NodeContext): Unary | undefined {
  const name = attributes.string('activation', 'none');
  if (name === 'none') return undefined;
  const factory = FACTORIES[name];
  if (factory) return factory(attributes);
  throw new CompilerError('invalid-graph', `Conv has the unknown activation "${name}".`, {
    at: { node: node.name || node.opType },
    hint: `Known are none, ${Object.keys(FACTORIES).join(', ')}.`,
  });
}
