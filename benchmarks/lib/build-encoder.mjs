// Encoders of a given shape with random weights, as float ONNX.
import { denseTensor, expandEdgewise, float32Tensor, int64Tensor, writeOnnx } from '@edgewise/compiler';
import { seededRandom } from './inputs.mjs';
import { VOCABULARY } from './shapes.mjs';

const POSITIONS = 512;
const EPSILON = 1e-12;

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('./shapes.mjs').Shape} Shape
 */

/** The float model in standard operators, like an exporter's. @param {Shape} shape */
export function encoderOnnx(shape) {
  return writeOnnx(expandEdgewise(compactEncoder(shape), { contrib: false })).bytes;
}

/** @param {Shape} shape @returns {Model} */
function compactEncoder(shape) {
  const { hidden, layers, heads, feedForward, inputs, output, task } = shape;
  const random = seededRandom(1);
  /** @type {Model['graph']['initializers']} */
  const initializers = new Map();
  /** @type {Model['graph']['nodes']} */
  const nodes = [];

  /** @param {string} name @param {readonly number[]} dims @param {number} deviation @param {number} [mean] */
  const weight = (name, dims, deviation, mean = 0) => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    // Sum of three uniforms: near enough to normal for speed and for quantization ranges.
    const values = Float32Array.from(
      { length },
      () => mean + deviation * 2 * (random() + random() + random() - 1.5),
    );
    initializers.set(name, float32Tensor(dims, values));
    return name;
  };
  /** @typedef {Record<string, number | bigint | string>} Values */
  /** @param {string} domain @returns {(opType: string, name: string, from: string[], values?: Values) => string} */
  const operator =
    (domain) =>
    (opType, name, from, values = {}) => {
      const attributes = new Map(Object.entries(values).map(([key, value]) => [key, attribute(value)]));
      nodes.push({ name, opType, domain, inputs: from, outputs: [name], attributes });
      return name;
    };
  const node = operator('edgewise');
  const standard = operator('');
  /** @param {string} name @param {string} x @param {number} k @param {number} n @param {string} activation */
  const linear = (name, x, k, n, activation = 'none') =>
    node('Linear', name, [x, weight(`${name}.weight`, [k, n], 0.02), weight(`${name}.bias`, [n], 0.02)], {
      activation,
    });
  /** @param {string} name */
  const norm = (name) => [weight(`${name}.gamma`, [hidden], 0.05, 1), weight(`${name}.beta`, [hidden], 0.05)];

  let x = embeddings();
  for (let layer = 0; layer < layers; layer++) {
    const name = (/** @type {string} */ part) => `layer${layer}.${part}`;
    const [q = '', k = '', v = ''] = ['q', 'k', 'v'].map((part) => linear(name(part), x, hidden, hidden));
    const attended = node('Attention', name('attention'), [q, k, v, 'attention_mask'], {
      num_heads: BigInt(heads),
      scale: 1 / Math.sqrt(hidden / heads),
    });
    const projected = linear(name('projection'), attended, hidden, hidden);
    x = node('AddLayerNorm', name('attended'), [projected, x, ...norm(name('attended'))], {
      epsilon: EPSILON,
    });
    const widened = linear(name('wide'), x, hidden, feedForward, 'gelu');
    const narrowed = linear(name('narrow'), widened, feedForward, hidden);
    x = node('AddLayerNorm', name('output'), [narrowed, x, ...norm(name('output'))], { epsilon: EPSILON });
  }
  if (task === 'text-classification') {
    initializers.set('first', denseTensor('int64', [], new BigInt64Array(1)));
    const cls = standard('Gather', 'cls', [x, 'first'], { axis: 1n });
    x = linear('logits', linear('pre_classifier', cls, hidden, hidden, 'relu'), hidden, 2);
  }
  renameOutput(nodes, x, output);
  return model(shape, nodes, initializers);

  /** As PyTorch writes them: positions are a slice of a constant row of indices. */
  function embeddings() {
    const integers = (
      /** @type {string} */ name,
      /** @type {number[]} */ dims,
      /** @type {number[]} */ values,
    ) => {
      initializers.set(name, int64Tensor(dims, values));
      return name;
    };
    const one = integers('one', [1], [1]);
    const shapeOf = standard('Shape', 'length.shape', ['input_ids']);
    const length = standard('Gather', 'length', [shapeOf, one], { axis: 0n });
    const indices = integers(
      'position_ids',
      [1, POSITIONS],
      Array.from({ length: POSITIONS }, (_, index) => index),
    );
    const ids = standard('Slice', 'position_ids.used', [
      indices,
      integers('zero', [1], [0]),
      length,
      one,
      one,
    ]);
    const lookUp = (/** @type {string} */ name, /** @type {number} */ rows, /** @type {string} */ index) =>
      standard('Gather', `${name}.rows`, [weight(name, [rows, hidden], 0.02), index]);
    const words = lookUp('word', VOCABULARY, 'input_ids');
    const typed = inputs.includes('token_type_ids')
      ? standard('Add', 'typed', [words, lookUp('token_type', 2, 'token_type_ids')])
      : words;
    const sum = standard('Add', 'embedded', [typed, lookUp('position', POSITIONS, ids)]);
    return node('LayerNorm', 'embeddings', [sum, ...norm('embeddings')], { epsilon: EPSILON });
  }
}

/** @param {number | bigint | string} value @returns {import('@edgewise/compiler').Attribute} */
function attribute(value) {
  if (typeof value === 'bigint') return { kind: 'int', value };
  if (typeof value === 'number') return { kind: 'float', value };
  return { kind: 'string', value: new TextEncoder().encode(value) };
}

/** @param {Model['graph']['nodes']} nodes @param {string} from @param {string} to */
function renameOutput(nodes, from, to) {
  const last = nodes.at(-1);
  if (last?.outputs[0] !== from) throw new Error(`the last node does not make ${from}`);
  nodes[nodes.length - 1] = { ...last, outputs: [to] };
}

/** @param {Shape} shape @param {Model['graph']['nodes']} nodes @param {Model['graph']['initializers']} initializers @returns {Model} */
function model({ name, hidden, inputs, output, task }, nodes, initializers) {
  const tokens = task === 'text-classification' ? [2] : ['sequence', hidden];
  return {
    irVersion: 8,
    opsets: new Map([
      ['', 17],
      ['edgewise', 1],
    ]),
    producer: { name: 'edgewise-benchmarks', version: '1' },
    domain: '',
    modelVersion: 1n,
    metadata: new Map(),
    functions: [],
    graph: {
      name,
      nodes,
      initializers,
      valueInfo: new Map(),
      inputs: inputs.map((input) => ({
        name: input,
        type: { kind: 'tensor', dtype: 'int64', shape: ['batch', 'sequence'] },
      })),
      outputs: [{ name: output, type: { kind: 'tensor', dtype: 'float32', shape: ['batch', ...tokens] } }],
    },
  };
}
