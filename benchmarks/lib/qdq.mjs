// ONNX's other form of quantized graphs, which onnxruntime's tools write.
import { denseTensor, typedData } from '@edgewise/compiler';

/**
 * @typedef {import('@edgewise/compiler').Model} Model
 * @typedef {import('@edgewise/compiler').Node} Node
 * @typedef {object} Form
 * @property {string} operator on floats
 * @property {number[]} values where the inputs are that computed values go into; scale and zero point follow each
 * @property {number} [weight] the same of the weight
 * @property {number} [bias] int32, of scale x·w
 * @property {number} output of the output's scale
 */

/** Operators on bytes, by the places of their inputs. @type {Readonly<Record<string, Form>>} */
const FORMS = {
  QLinearConv: { operator: 'Conv', values: [0], weight: 3, bias: 8, output: 6 },
  QGemm: { operator: 'Gemm', values: [0], weight: 3, bias: 6, output: 7 },
  QLinearAdd: { operator: 'Add', values: [0, 3], output: 6 },
  QLinearMul: { operator: 'Mul', values: [0, 3], output: 6 },
  QLinearGlobalAveragePool: { operator: 'GlobalAveragePool', values: [0], output: 3 },
  QLinearAveragePool: { operator: 'AveragePool', values: [0], output: 3 },
};

/** The graph with float operators between DequantizeLinear and QuantizeLinear instead of operators on bytes. @param {Model} model @returns {Model} */
export function toQdq(model) {
  const { graph } = model;
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.flatMap((node, index) => {
    const form = formOf(node);
    if (!form) return [node];
    const { values, weight, bias, output } = form;
    const at = (/** @type {number} */ place) => node.inputs[place] ?? '';
    /** @type {Node[]} */
    const made = [];
    const toFloat = (/** @type {string[]} */ inputs, /** @type {number | undefined} */ axis) => {
      const name = `qdq ${index} ${made.length}`;
      made.push(operator('DequantizeLinear', inputs, name, axis));
      return name;
    };
    const inputs = values.map((place) => toFloat([at(place), at(place + 1), at(place + 2)], undefined));
    if (weight !== undefined) {
      const transB = node.attributes.get('transB');
      const isRowed = node.opType === 'QLinearConv' || (transB?.kind === 'int' && transB.value === 1n);
      inputs.push(toFloat([at(weight), at(weight + 1), at(weight + 2)], isRowed ? 0 : 1));
    }
    if (weight !== undefined && bias !== undefined && at(bias) !== '') {
      const [x, w] = [at(1), at(weight + 1)].map((name) => floats(initializers.get(name)));
      const scale = `qdq ${index} bias`;
      const product = Float32Array.from(w ?? [], (each) => each * (x?.[0] ?? NaN));
      initializers.set(scale, denseTensor('float32', [product.length], product));
      inputs.push(toFloat([at(bias), scale], 0));
    }
    const attributes = new Map([...node.attributes].filter(([name]) => name !== 'channels_last'));
    const [wanted = ''] = node.outputs;
    // QGemm without an output scale gives floats.
    const isQuantized = at(output) !== '';
    const result = isQuantized ? `qdq ${index}` : wanted;
    made.push({ ...operator(form.operator, inputs, result, undefined), attributes });
    if (isQuantized)
      made.push(operator('QuantizeLinear', [result, at(output), at(output + 1)], wanted, undefined));
    return made;
  });
  return { ...model, graph: { ...graph, nodes, initializers } };
}

/** @param {Node} node @returns {Form | undefined} */
function formOf({ opType, inputs }) {
  if (opType !== 'QLinearConcat') return FORMS[opType];
  const values = Array.from({ length: (inputs.length - 2) / 3 }, (_, i) => 2 + 3 * i);
  return { operator: 'Concat', values, output: 0 };
}

/** @param {string} opType @param {string[]} inputs @param {string} output @param {number | undefined} axis @returns {Node} */
function operator(opType, inputs, output, axis) {
  /** @type {Node['attributes']} */
  const attributes = new Map(axis === undefined ? [] : [['axis', { kind: 'int', value: BigInt(axis) }]]);
  return { name: '', opType, domain: '', inputs, outputs: [output], attributes };
}

/** @param {import('@edgewise/compiler').Tensor | undefined} tensor */
function floats(tensor) {
  if (tensor?.kind !== 'dense' || tensor.dtype !== 'float32')
    throw new Error('toQdq: a scale is no constant');
  return typedData({ ...tensor, dtype: tensor.dtype });
}
